/** How the server's playback stands; see `src/server/playback.ts`. */
export interface TimelineState {
  readonly isPlaying: boolean;
  /** Against the recording; 0: as fast as it goes. */
  readonly speed: number;
  readonly frame: number;
  /** Frames `first` to before `ready` can be shown at once, of `total`. */
  readonly first: number;
  readonly ready: number;
  readonly total: number;
  readonly positionS: number;
  readonly durationS: number;
}

export const stopped: TimelineState = {
  isPlaying: false,
  speed: 1,
  frame: -1,
  first: 0,
  ready: 0,
  total: 0,
  positionS: 0,
  durationS: 0,
};

/** The state with the parameters that have come; what is of the wrong kind changes nothing. */
export function withParameters(before: TimelineState, values: ReadonlyMap<string, unknown>): TimelineState {
  const number = (name: string, old: number): number => {
    const value = values.get(`playback.${name}`);
    return typeof value === "number" && Number.isFinite(value) ? value : old;
  };
  const isPlaying = values.get("playback.playing");
  return {
    isPlaying: typeof isPlaying === "boolean" ? isPlaying : before.isPlaying,
    speed: number("speed", before.speed),
    frame: number("frame", before.frame),
    first: number("first", before.first),
    ready: number("ready", before.ready),
    total: number("total", before.total),
    positionS: number("position_s", before.positionS),
    durationS: number("duration_s", before.durationS),
  };
}

/** Slow to fast; the last, 0, is as fast as it goes. */
export const speeds = [0.1, 0.25, 0.5, 1, 2, 4, 8, 0] as const;

export function speedText(speed: number): string {
  return speed === 0 ? "as fast as it goes" : `${speed}x`;
}

/** The speed that is `steps` places faster (below 0: slower); a speed of no place counts as the nearest. */
export function nextSpeed(speed: number, steps: number): number {
  const size = (value: number): number => (value === 0 ? 1000 : value);
  const distances = speeds.map((each) => Math.abs(Math.log(size(each) / size(speed))));
  const at = distances.indexOf(Math.min(...distances));
  return speeds[Math.max(0, Math.min(speeds.length - 1, at + steps))]!;
}

/** `0:07.3 / 1:12.0`, and which frame of how many. */
export function timeText({ positionS, durationS, frame, total }: TimelineState): string {
  return `${clock(positionS)} / ${clock(Math.max(durationS, positionS))}   ${Math.max(0, frame + 1)} of ${total}`;
}

function clock(seconds: number): string {
  const tenths = Math.round(seconds * 10);
  return `${Math.floor(tenths / 600)}:${((tenths % 600) / 10).toFixed(1).padStart(4, "0")}`;
}
