/** The sentences a page's script says: the server puts them into the page, in the reader's language. */

const template = document.querySelector<HTMLTemplateElement>("template#texts");
const sentences: Readonly<Record<string, string>> = JSON.parse(
  template?.content.textContent || "{}",
);

/** The sentence with its values filled in; the key itself when the page does not bring it. */
export function say(key: string, values: Readonly<Record<string, string | number>> = {}): string {
  const sentence = sentences[key] ?? key;
  return sentence.replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));
}

/** The language of the page. */
export const language: "id" | "en" = document.documentElement.lang === "en" ? "en" : "id";
