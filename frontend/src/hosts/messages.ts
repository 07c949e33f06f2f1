/** TensorBoard's experimental plugin protocol: JSON over a message channel; requests of the host are answered. */
export function listenToTensorBoard(listeners: Record<string, () => void>): void {
  const { port1, port2 } = new MessageChannel();
  port1.onmessage = ({ data }: MessageEvent<string>) => {
    const message = JSON.parse(data) as { type: string; id: number; isReply: boolean };
    if (message.isReply) return;
    listeners[message.type]?.();
    port1.postMessage(
      JSON.stringify({ type: message.type, id: message.id, payload: null, error: null, isReply: true }),
    );
  };
  window.parent.postMessage('experimental.bootstrap', '*', [port2]);
}
