/**
 * Choices that are kept in the address: they can be shared and survive a reload.
 */
import { useLocation } from "preact-iso";

/** The value of a query parameter, and how to change several at once (null takes one away) without a history entry. */
export function useQuery(): {
  readonly query: Readonly<Record<string, string>>;
  readonly setQuery: (changes: Readonly<Record<string, string | null>>) => void;
} {
  const { path, query, route } = useLocation();
  const setQuery = (changes: Readonly<Record<string, string | null>>) => {
    const parameters = new URLSearchParams(location.search);
    for (const [name, value] of Object.entries(changes)) {
      if (value === null || value === "") parameters.delete(name);
      else parameters.set(name, value);
    }
    const text = parameters.toString();
    route(text === "" ? path : `${path}?${text}`, true);
  };
  return { query, setQuery };
}

/** A page's path with the chosen platform kept. */
export function withPlatform(path: string, platform: string | undefined): string {
  return platform === undefined ? path : `${path}?platform=${encodeURIComponent(platform)}`;
}
