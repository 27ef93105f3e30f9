/** How voxels are drawn. */
export type Detail = "cubes" | "points";
/** What the user asked for. */
export type DetailWish = Detail | "auto";

/** Renderers that run on the CPU, by the name that WebGL gives. */
const softwareRenderers = /swiftshader|llvmpipe|softpipe|software|basic render/i;

export function isSoftwareRenderer(name: string): boolean {
  return softwareRenderers.test(name);
}

/** Beyond this many cubes a CPU needs more than a fifth of a second a frame (100,000 took 2 s), and a GPU stumbles. */
export const mostCubes = { software: 8_000, hardware: 600_000 } as const;

export function chooseDetail(wish: DetailWish, count: number, renderer: keyof typeof mostCubes): Detail {
  if (wish !== "auto") return wish;
  return count > mostCubes[renderer] ? "points" : "cubes";
}
