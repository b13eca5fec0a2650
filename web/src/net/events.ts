/** The server's own messages: a WebSocket that connects again by itself. */

import { readSliceMessage, type SliceHeader } from "../core/slice_message";
import { TAB } from "./http";
import type { ServerEvent } from "./wire";

export interface EventHandlers {
  /** Called at each connection. */
  connected(): void;
  /** Called when a connection is lost and at each try that fails. */
  lost(): void;
  event(event: ServerEvent): void;
  slice(header: SliceHeader, packed: Uint8Array): void;
}

const RETRY_MS = 1000;

/** Listen to the server for as long as the page lives. */
export function listen(handlers: EventHandlers): void {
  const address = new URL(`/api/events?tab=${TAB}`, location.href);
  address.protocol = location.protocol === "https:" ? "wss:" : "ws:";
  const socket = new WebSocket(address);
  socket.binaryType = "arraybuffer";
  socket.onopen = () => handlers.connected();
  socket.onmessage = ({ data }: MessageEvent<string | ArrayBuffer>) => {
    if (typeof data === "string") {
      handlers.event(JSON.parse(data) as ServerEvent);
    } else {
      const { header, packed } = readSliceMessage(data);
      handlers.slice(header, packed);
    }
  };
  socket.onclose = () => {
    handlers.lost();
    setTimeout(() => listen(handlers), RETRY_MS);
  };
}
