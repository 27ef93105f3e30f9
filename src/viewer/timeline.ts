import {
  nextSpeed,
  speeds,
  speedText,
  stopped,
  type TimelineState,
  timeText,
  withParameters,
} from "./timeline-state.ts";

const byId = <T extends HTMLElement>(id: string): T => document.getElementById(id) as T;

/** The bar that steers a recording: play, step, speed, and a slider over its frames. Hidden where there is none. */
export class Timeline {
  readonly #send: (name: string, value: number | boolean) => void;
  readonly #slider = byId<HTMLInputElement>("scrub");
  readonly #speed = byId<HTMLSelectElement>("speed");
  #state: TimelineState = stopped;
  /** The frame that was asked for and has not come yet. */
  #asked: number | undefined;

  constructor(send: (name: string, value: number | boolean) => void) {
    this.#send = send;
    this.#speed.replaceChildren(...speeds.map((speed) => new Option(speedText(speed), String(speed))));
    byId("play").addEventListener("click", () => this.toggle());
    byId("back").addEventListener("click", () => this.step(-1));
    byId("ahead").addEventListener("click", () => this.step(1));
    this.#slider.addEventListener("input", () => this.#goTo(this.#slider.valueAsNumber));
    this.#speed.addEventListener("change", () => this.#send("playback.speed", Number(this.#speed.value)));
    // The keyboard is the page's: it works the same whatever was clicked last.
    for (const control of byId("timeline").querySelectorAll<HTMLElement>("button, input, select")) {
      control.addEventListener("change", () => control.blur());
      control.addEventListener("click", () => control.tagName === "BUTTON" && control.blur());
    }
  }

  get isThere(): boolean {
    return !byId("timeline").hidden;
  }

  setThere(isThere: boolean): void {
    byId("timeline").hidden = !isThere;
    document.body.classList.toggle("steered", isThere);
    if (!isThere) this.#state = stopped;
  }

  update(values: ReadonlyMap<string, unknown>): void {
    this.#state = withParameters(this.#state, values);
    const { isPlaying, speed, frame, first, ready, total } = this.#state;
    if (frame === this.#asked) this.#asked = undefined;
    this.#slider.max = String(Math.max(1, total - 1));
    if (this.#asked === undefined) this.#slider.value = String(Math.max(0, frame));
    const share = (at: number): string => `${(100 * at) / Math.max(1, total - 1)}%`;
    this.#slider.style.setProperty("--at", share(this.#slider.valueAsNumber));
    this.#slider.style.setProperty("--first", share(first));
    this.#slider.style.setProperty("--ready", share(ready - 1));
    const play = byId("play");
    play.dataset["playing"] = String(isPlaying);
    play.title = isPlaying ? "pause (space)" : "play (space)";
    if (![...this.#speed.options].some(({ value }) => Number(value) === speed)) {
      this.#speed.add(new Option(speedText(speed), String(speed)), 0);
    }
    this.#speed.value = String(speed);
    byId("time").textContent = timeText(this.#state);
  }

  /** Answers what holds now. */
  toggle(): string {
    const isPlaying = !this.#state.isPlaying;
    this.#send("playback.playing", isPlaying);
    return isPlaying ? "playing" : "paused";
  }

  /** Pauses and goes some frames on or back. */
  step(frames: number): string {
    if (this.#state.isPlaying) this.#send("playback.playing", false);
    const to = this.#goTo((this.#asked ?? this.#state.frame) + frames);
    return `frame ${to + 1}`;
  }

  faster(steps: number): string {
    const speed = nextSpeed(this.#state.speed, steps);
    this.#send("playback.speed", speed);
    return `speed: ${speedText(speed)}`;
  }

  #goTo(frame: number): number {
    const { first, total } = this.#state;
    this.#asked = Math.max(first, Math.min(total - 1, frame));
    this.#slider.value = String(this.#asked);
    this.#send("playback.frame", this.#asked);
    return this.#asked;
  }
}
