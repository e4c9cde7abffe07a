/** Light or dark: follows the device until a person chooses, then remembers the choice. */
export type Theme = "light" | "dark";

const KEY = "sigap_theme";
const system = window.matchMedia("(prefers-color-scheme: dark)");

function remembered(): Theme | null {
  const value = window.localStorage.getItem(KEY);
  return value === "light" || value === "dark" ? value : null;
}

function systemTheme(): Theme {
  return system.matches ? "dark" : "light";
}

const first = remembered();
const chosen = $state({ theme: first ?? systemTheme() });
if (first) document.documentElement.dataset.theme = first;

system.addEventListener("change", () => {
  if (!remembered()) chosen.theme = systemTheme();
});

export function theme(): Theme {
  return chosen.theme;
}

export function setTheme(next: Theme): void {
  window.localStorage.setItem(KEY, next);
  document.documentElement.dataset.theme = next;
  chosen.theme = next;
}
