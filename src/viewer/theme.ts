/** What lies behind the voxels, for each theme; what is text takes its colours from the style sheet. */
export const themes = {
  dark: { back: "#0d1117", grid: "#263142", path: "#ff8f6b", glass: "#ffb199" },
  light: { back: "#eef1f5", grid: "#c6cdd8", path: "#d4512a", glass: "#b8431f" },
} as const;

export type Theme = keyof typeof themes;

const key = "voxelguard theme";

/** What the user chose last, else what the system prefers. */
export function firstTheme(): Theme {
  const chosen = localStorage.getItem(key);
  if (chosen === "dark" || chosen === "light") return chosen;
  return matchMedia("(prefers-color-scheme: light)").matches ? "light" : "dark";
}

/** Puts the theme on the page and keeps it for the next visit. */
export function putTheme(theme: Theme): void {
  document.documentElement.dataset["theme"] = theme;
  localStorage.setItem(key, theme);
}
