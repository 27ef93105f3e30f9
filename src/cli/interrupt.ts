let controller: AbortController | undefined;

/**
 * Aborts at Ctrl-C or SIGTERM, so that a command can close its outputs and end; `run` then exits with 130. A second
 * Ctrl-C ends the process at once.
 */
export function interruptSignal(): AbortSignal {
  if (controller !== undefined) return controller.signal;
  controller = new AbortController();
  const { signal } = controller;
  for (const name of ["SIGINT", "SIGTERM"] as const) {
    process.on(name, () => {
      if (signal.aborted) process.exit(130);
      controller?.abort();
    });
  }
  return signal;
}

/** Resolves once the signal is aborted. */
export async function aborted(signal: AbortSignal): Promise<void> {
  if (!signal.aborted)
    await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
}

/** True when a signal came that some command listens to. */
export function wasInterrupted(): boolean {
  return controller?.signal.aborted ?? false;
}
