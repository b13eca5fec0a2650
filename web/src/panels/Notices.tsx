/** What went wrong, where the person sees it; and what stops all work until it is dealt with. */

import { signal } from "@preact/signals";
import { api } from "../net/api";
import { connected, held, keyWanted, otherTab, sendWaiting, unconfirmed } from "../state/changes";
import { comeBack, takeOver } from "../state/link";
import { attempt, dismiss, notices } from "../state/notices";
import { server } from "../state/server";
import type { Problem } from "../net/wire";

export function Notices() {
  return (
    <div class="notices">
      {notices.value.map(({ id, kind, problem }) => (
        <div key={id} class={`notice-card ${kind}`} role={kind === "error" ? "alert" : "status"}>
          <Told problem={problem} />
          {kind === "error" && (
            <button class="quiet" onClick={() => dismiss(id)} aria-label="close">
              ✕
            </button>
          )}
        </div>
      ))}
    </div>
  );
}

export function Told({ problem }: { problem: Problem }) {
  return (
    <div>
      <strong>{capital(problem.what)}</strong>
      {problem.received && <p>Received: {problem.received}</p>}
      {problem.accepted && <p>Accepted: {problem.accepted}</p>}
      {problem.remedy && <p>{capital(problem.remedy)}.</p>}
    </div>
  );
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** The one banner under the top bar: the most pressing of what stands in the way. */
export function Banner() {
  const waiting = unconfirmed.value;
  const kept =
    waiting > 0 ? ` ${waiting} unsaved ${waiting === 1 ? "change is" : "changes are"} kept here.` : "";
  if (keyWanted.value) return <KeyBanner kept={kept} />;
  if (server.value && !connected.value)
    return (
      <div class="banner bad" role="alert">
        The server does not answer; trying again. You can go on drawing.{kept}
      </div>
    );
  if (otherTab.value)
    return (
      <div class="banner" role="alert">
        Another tab draws on this scan; this one only looks.{kept}
        <button onClick={() => attempt(takeOver())}>Draw here</button>
      </div>
    );
  if (held.value)
    return (
      <div class="banner bad" role="alert">
        Not saved: {held.value.what}. {held.value.remedy}.{kept}
        <button onClick={() => void sendWaiting()}>Send again</button>
      </div>
    );
  return null;
}

const address = signal("");

function KeyBanner({ kept }: { kept: string }) {
  const send = (): void => attempt(api.useAddress(address.value).then(comeBack));
  return (
    <div class="banner bad" role="alert">
      <label class="row">
        The server wants the key of the address that voxtrail annotate printed.{kept}
        <input
          type="text"
          aria-label="printed address"
          placeholder="http://127.0.0.1:…/?key=…"
          value={address.value}
          onInput={(event) => (address.value = event.currentTarget.value)}
          onKeyDown={(event) => {
            if (event.key === "Enter") send();
          }}
        />
      </label>
      <button onClick={send}>Connect</button>
    </div>
  );
}
