/** Frames that can be shown in any order; more may be added while it plays. */
export interface Reel {
  /** Frames `first` to before `ready` are there, of `total` that there will be. */
  readonly first: number;
  readonly ready: number;
  readonly total: number;
  readonly durationS: number;
  stampNs(frame: number): bigint;
  show(frame: number): Promise<void>;
}

/** As clients see it: Foxglove parameters, all of them numbers but `playing`. */
export interface PlaybackState {
  readonly "playback.playing": boolean;
  /** Against the recording; 0: as fast as it goes. */
  readonly "playback.speed": number;
  /** The frame on screen, from 0; -1 before the first. */
  readonly "playback.frame": number;
  readonly "playback.first": number;
  readonly "playback.ready": number;
  readonly "playback.total": number;
  /** Of the frame on screen, from the first frame of all. */
  readonly "playback.position_s": number;
  readonly "playback.duration_s": number;
}

/** A frame this late is not waited for again: the clock is set anew. */
const LATE_MS = 500;

/**
 * Plays a reel: one frame after the other at the pace of their stamps, or whichever a client asks for. Clients set
 * `playback.playing`, `playback.speed` and `playback.frame`; a frame that is not there yet is shown once it is.
 */
export class Playback {
  readonly #reel: Reel;
  readonly #tell: (state: PlaybackState) => void;
  #isPlaying = true;
  #speed: number;
  #frame = -1;
  /** The frame that somebody asked for. */
  #goal: number | undefined = 0;
  /** A frame's stamp and the moment when it was shown: from here the next are due. */
  #anchor: { readonly stampNs: bigint; readonly ms: number } | undefined;
  /** Of the first frame that was shown. */
  #startNs: bigint | undefined;
  #positionS = 0;
  #wake: () => void = () => {};
  #resume: () => void = () => {};
  readonly #signal: AbortSignal;

  /** `tell` hears of every change. It ends with the signal. */
  constructor(reel: Reel, speed: number, tell: (state: PlaybackState) => void, signal: AbortSignal) {
    this.#reel = reel;
    this.#speed = speed;
    this.#tell = tell;
    this.#signal = signal;
    signal.addEventListener("abort", () => {
      this.#wake();
      this.#resume();
    });
    tell(this.state());
  }

  state(): PlaybackState {
    const { first, ready, total, durationS } = this.#reel;
    return {
      "playback.playing": this.#isPlaying,
      "playback.speed": this.#speed,
      "playback.frame": this.#frame,
      "playback.first": first,
      "playback.ready": ready,
      "playback.total": total,
      "playback.position_s": this.#positionS,
      "playback.duration_s": durationS,
    };
  }

  /** What a client sets; nonsense changes nothing, and the client is told how it stands. */
  set(name: string, value: unknown): void {
    if (name === "playback.playing" && typeof value === "boolean") this.#play(value);
    if (name === "playback.speed" && typeof value === "number" && value >= 0 && value <= 100) this.#speed = value;
    if (name === "playback.frame" && typeof value === "number" && Number.isFinite(value))
      this.#goal = Math.round(value);
    this.#anchor = undefined;
    this.#changed();
  }

  /** The reel has more frames, or knows better how many there will be. */
  grown(): void {
    this.#changed();
  }

  /** Resolves when the newest frame is on screen, or one beyond it is wanted: time to make more. */
  async caughtUp(): Promise<void> {
    while (!this.#signal.aborted && !this.#wantsMore()) {
      await new Promise<void>((resolve) => {
        this.#resume = resolve;
      });
    }
  }

  /** Shows frames until the signal. Rejects with what `show` throws. */
  async run(): Promise<void> {
    while (!this.#signal.aborted) {
      const next = this.#next(performance.now());
      if (typeof next === "number") await this.#show(next);
      else await this.#rest(next.waitMs);
    }
  }

  #play(isPlaying: boolean): void {
    const { total, first } = this.#reel;
    // From its end it begins again.
    if (isPlaying && this.#frame >= total - 1) this.#goal = first;
    this.#isPlaying = isPlaying;
  }

  /** The frame to show now, or how long to wait for one. */
  #next(nowMs: number): number | { readonly waitMs: number } {
    const { first, ready, total } = this.#reel;
    const forever = { waitMs: Number.POSITIVE_INFINITY };
    if (ready <= first) return forever;
    if (this.#goal !== undefined) {
      const goal = Math.max(first, Math.min(this.#goal, total - 1));
      if (goal < ready) {
        this.#goal = undefined;
        return goal;
      }
      // On the way there the newest is shown.
      return this.#frame < ready - 1 ? ready - 1 : forever;
    }
    const after = Math.max(first, this.#frame + 1);
    if (!this.#isPlaying || after >= ready) {
      if (this.#isPlaying && after >= total) {
        this.#isPlaying = false;
        this.#tell(this.state());
      }
      return forever;
    }
    const waitMs = this.#dueMs(after, nowMs) - nowMs;
    if (waitMs > 0) return { waitMs };
    let next = after;
    while (next + 1 < ready && this.#speed > 0 && this.#dueMs(next + 1, nowMs) <= nowMs) next += 1;
    return next;
  }

  #dueMs(frame: number, nowMs: number): number {
    if (this.#speed === 0 || this.#frame < this.#reel.first) return nowMs;
    this.#anchor ??= { stampNs: this.#reel.stampNs(this.#frame), ms: nowMs };
    const dueMs = this.#anchor.ms + Number(this.#reel.stampNs(frame) - this.#anchor.stampNs) / 1e6 / this.#speed;
    // Stamps that go back are no reason to wait.
    return Math.max(dueMs, this.#anchor.ms);
  }

  async #show(frame: number): Promise<void> {
    const stampNs = this.#reel.stampNs(frame);
    const isLate = this.#anchor !== undefined && performance.now() > this.#dueMs(frame, 0) + LATE_MS;
    if (isLate || stampNs < (this.#anchor?.stampNs ?? 0n)) this.#anchor = undefined;
    await this.#reel.show(frame);
    this.#frame = frame;
    this.#startNs ??= stampNs;
    this.#positionS = Number(stampNs - this.#startNs) / 1e9;
    this.#tell(this.state());
    this.#resume();
  }

  #wantsMore(): boolean {
    const { ready, first, total } = this.#reel;
    return (
      ready <= first ||
      this.#frame >= ready - 1 ||
      (this.#goal !== undefined && Math.min(this.#goal, total - 1) >= ready)
    );
  }

  #changed(): void {
    this.#tell(this.state());
    this.#wake();
    this.#resume();
  }

  async #rest(waitMs: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = Number.isFinite(waitMs) ? setTimeout(resolve, waitMs) : undefined;
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
