/**
 * Light or dark: as the system says, or as the reader chose; the choice is remembered.
 */
import { computed, effect, signal } from "@preact/signals";

/** What the reader can choose. */
export type ThemeChoice = "system" | "light" | "dark";

const key = "samara-theme";
const system = matchMedia("(prefers-color-scheme: dark)");
const systemIsDark = signal(system.matches);

function storedChoice(): ThemeChoice {
  const stored = localStorage.getItem(key);
  return stored === "light" || stored === "dark" ? stored : "system";
}

/** The reader's choice; set it to change the theme. */
export const themeChoice = signal<ThemeChoice>(storedChoice());

/** Whether the page is dark now. Charts on canvas draw anew when it changes. */
export const isDark = computed(() =>
  themeChoice.value === "system" ? systemIsDark.value : themeChoice.value === "dark",
);

/** Keep the document in the theme. Called once. */
export function followTheme(): void {
  system.addEventListener("change", ({ matches }) => {
    systemIsDark.value = matches;
  });
  effect(() => {
    document.documentElement.dataset.theme = isDark.value ? "dark" : "light";
    if (themeChoice.value === "system") localStorage.removeItem(key);
    else localStorage.setItem(key, themeChoice.value);
  });
}
