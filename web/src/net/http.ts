/** One request to the server, and what can go wrong with it. */

import type { Problem } from "./wire";

/** This tab, to a server that lets one tab draw. */
export const TAB = crypto.randomUUID();

/** The server refused: it says why. */
export class RefusedError extends Error {
  constructor(
    readonly status: number,
    readonly problem: Problem,
  ) {
    super(problem.what);
  }
}

/** The server did not answer. */
export class LostError extends Error {}

/**
 * Return the server's answer.
 * @throws RefusedError If the server says no.
 * @throws LostError If it does not answer.
 */
export async function request(method: string, path: string, options: RequestInit = {}): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(path, {
      ...options,
      method,
      credentials: "same-origin",
      headers: { "X-Tab": TAB, ...options.headers },
    });
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new LostError("the server does not answer");
  }
  if (response.ok) return response;
  throw new RefusedError(response.status, await problemOf(response));
}

/** Return the JSON of an answer; an answer without a body is an empty object. */
export async function requestJson<T>(method: string, path: string, body?: unknown): Promise<T> {
  const options: RequestInit =
    body === undefined ? {} : { body: JSON.stringify(body), headers: { "Content-Type": "application/json" } };
  const response = await request(method, path, options);
  return (response.status === 204 ? {} : await response.json()) as T;
}

async function problemOf(response: Response): Promise<Problem> {
  try {
    const { error } = (await response.json()) as { error?: Problem };
    if (error?.what) return error;
  } catch {
    // An answer that is no JSON of ours is told by its status alone.
  }
  return {
    what: `the server answered with the status ${response.status}`,
    remedy: "look at the terminal that voxtrail annotate runs in",
  };
}
