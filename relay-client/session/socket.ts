/** As much of a WebSocket as is used here: the browser's, Node's, or the one of the package “ws”. */
export interface RelaySocket {
  send(text: string): void;
  close(): void;
  onopen: ((event: never) => void) | null;
  onmessage: ((event: never) => void) | null;
  onclose: ((event: never) => void) | null;
  onerror: ((event: never) => void) | null;
}

export type OpenSocket = (url: string, subprotocols: string[]) => RelaySocket;

export const platformSocket: OpenSocket = (url, subprotocols) => new WebSocket(url, subprotocols);
