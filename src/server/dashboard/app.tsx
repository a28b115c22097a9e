/** The frame around all pages: navigation, header, and which page is shown. */

import { useEffect, useState } from "preact/hooks";
import { ErrorBoundary, LocationProvider, Route, Router, useLocation } from "preact-iso";
import { pages } from "./pages.js";
import { Empty, ProblemNote } from "./parts/states.js";
import { PlatformSelector, usePlatformId } from "./shell/selector.js";
import { type ThemeChoice, themeChoice } from "./shell/theme.js";
import { withPlatform } from "./shell/use-query.js";

const isAt = (path: string, routes: readonly string[]) =>
  routes.some((route) => {
    const start = route.replace(/\/:.*$/, "");
    return path === route || path === start || (start !== "/" && path.startsWith(`${start}/`));
  });

function Navigation() {
  const { path } = useLocation();
  const platform = usePlatformId();
  return (
    <nav class="navigation" aria-label="Pages">
      <ul>
        {pages.map((page) => (
          <li key={page.path}>
            <a
              href={withPlatform(page.path, platform)}
              {...(isAt(path, page.routes) && { "aria-current": "page" as const })}
            >
              {page.name}
            </a>
          </li>
        ))}
      </ul>
    </nav>
  );
}

const themeNames: Readonly<Record<ThemeChoice, string>> = {
  system: "Theme: system",
  light: "Theme: light",
  dark: "Theme: dark",
};

function ThemeSwitch() {
  return (
    <select
      class="theme-switch"
      aria-label="Theme"
      value={themeChoice.value}
      onChange={({ currentTarget }) => {
        themeChoice.value = currentTarget.value as ThemeChoice;
      }}
    >
      {Object.entries(themeNames).map(([choice, name]) => (
        <option key={choice} value={choice} selected={choice === themeChoice.value}>
          {name}
        </option>
      ))}
    </select>
  );
}

function NotFound() {
  return (
    <>
      <h1>No such page</h1>
      <Empty>Choose one of the pages of the navigation.</Empty>
    </>
  );
}

function Frame() {
  const [error, setError] = useState<Error | null>(null);
  const { path } = useLocation();
  useEffect(() => {
    const page = pages.find(({ routes }) => isAt(path, routes));
    document.title = page === undefined ? "Samara" : `${page.name} · Samara`;
  }, [path]);
  return (
    <div class="frame">
      <a class="skip-link" href="#main">
        Skip to content
      </a>
      <header class="side">
        <a class="brand" href="/platforms">
          Samara
        </a>
        <Navigation />
        <ThemeSwitch />
      </header>
      <div class="content">
        <section class="header" aria-label="Platform">
          <PlatformSelector />
        </section>
        <main id="main" tabIndex={-1}>
          {error !== null && <ProblemNote error={error} retry={() => setError(null)} />}
          <ErrorBoundary onError={setError}>
            <Router onRouteChange={() => setError(null)}>
              {pages.flatMap(({ routes, component }) =>
                routes.map((path) => <Route key={path} path={path} component={component} />),
              )}
              <Route default component={NotFound} />
            </Router>
          </ErrorBoundary>
        </main>
      </div>
    </div>
  );
}

/** The dashboard. */
export function App() {
  return (
    <LocationProvider>
      <Frame />
    </LocationProvider>
  );
}
