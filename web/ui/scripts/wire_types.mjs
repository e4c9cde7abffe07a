// Writes the types of what sockets tell, from the server's own description of them.
import { readFile, writeFile } from "node:fs/promises";
import openapiTS, { astToString } from "openapi-typescript";

const { components } = JSON.parse(await readFile("asyncapi.json", "utf8"));
const info = { title: "Sigap", version: "1" };
const described = {
  openapi: "3.1.0",
  info,
  paths: {},
  components: { schemas: components.schemas },
};
const types = await openapiTS(described, { alphabetize: true });
await writeFile("src/api/asyncapi.d.ts", astToString(types));
