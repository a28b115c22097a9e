/**
 * Who may ask: the right host name (against DNS rebinding), the same origin, and beyond this machine a token.
 */
import { timingSafeEqual } from "node:crypto";
import { hostname, networkInterfaces } from "node:os";
import type { MiddlewareHandler } from "hono";
import { ForbiddenError, UnauthorisedError } from "./refusals.js";

const loopbackNames = ["127.0.0.1", "localhost", "[::1]"];

/** Whether a service that listens there can be reached from this machine only. */
export function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || /^127\.\d+\.\d+\.\d+$/.test(host);
}

const bracketed = (address: string) => (address.includes(":") ? `[${address}]` : address);

/** Names under which a service that listens on `host` may be asked for. */
function namesOf(host: string, further: readonly string[]): Set<string> {
  const names = [...loopbackNames, bracketed(host), ...further];
  if (!isLoopback(host)) {
    names.push(hostname());
    for (const addresses of Object.values(networkInterfaces())) {
      for (const { address } of addresses ?? []) names.push(bracketed(address));
    }
  }
  return new Set(names.map((name) => name.toLowerCase()));
}

/** How the service is protected. */
export interface SecurityOptions {
  /** Address that it listens on. */
  readonly host: string;
  /** Names beside its own, e.g. of a proxy. */
  readonly allowedHosts: readonly string[];
  /** Every request of the interface needs it; undefined on loopback. */
  readonly token: string | undefined;
}

/** `null` is the origin of pages that have none. */
const hostOf = (origin: string) => (URL.canParse(origin) ? new URL(origin).host : undefined);

const withoutPort = (host: string) => host.replace(/:\d+$/, "").toLowerCase();

function isSame(one: string, other: string): boolean {
  const [a, b] = [Buffer.from(one), Buffer.from(other)];
  return a.length === b.length && timingSafeEqual(a, b);
}

/** Refuse requests by their Host and Origin. */
export function checkOrigin({ host, allowedHosts }: SecurityOptions): MiddlewareHandler {
  const names = namesOf(host, allowedHosts);
  return async (c, next) => {
    const asked = c.req.header("host") ?? "";
    if (!names.has(withoutPort(asked))) {
      throw new ForbiddenError(`this service is not called "${asked}"`, {
        hint: "use the address that `samara serve` printed, or start it with --allowed-host NAME",
      });
    }
    const origin = c.req.header("origin");
    if (origin !== undefined && hostOf(origin) !== asked.toLowerCase()) {
      throw new ForbiddenError(
        `requests of other sites are refused, this one comes from ${origin}`,
      );
    }
    await next();
  };
}

/** Refuse requests without the token, if there is one. */
export function checkToken({ token }: SecurityOptions): MiddlewareHandler {
  return async (c, next) => {
    if (token !== undefined) {
      const given = /^Bearer (.+)$/.exec(c.req.header("authorization") ?? "")?.[1];
      if (given === undefined || !isSame(given, token)) {
        throw new UnauthorisedError(
          given === undefined ? "this service needs a token" : "the token is wrong",
          {
            hint: "send Authorization: Bearer TOKEN; in a browser open the page with #token=TOKEN",
          },
        );
      }
    }
    await next();
  };
}

/** Echarts places its tooltips by style attributes; everything else comes from files of the service. */
const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "style-src-attr 'unsafe-inline'",
  "img-src 'self' data: blob:",
  "font-src 'self'",
  "connect-src 'self'",
  "frame-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'self'",
].join("; ");

/** Headers of every answer. */
export const securityHeaders: Readonly<Record<string, string>> = {
  "content-security-policy": contentSecurityPolicy,
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
};
