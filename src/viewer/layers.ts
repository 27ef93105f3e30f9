/** What can be shown or hidden. */
export const layers = {
  camera: { key: "I", label: "camera", does: "camera image", isOn: true },
  boxes: { key: "B", label: "objects", does: "boxes around objects", isOn: true },
  mask: { key: "M", label: "masks", does: "masked parts of the image", isOn: true },
  overlay: { key: "V", label: "in image", does: "voxels in the camera image", isOn: false },
  free: { key: "E", label: "free space", does: "free space, as dots", isOn: false },
  rig: { key: "O", label: "robot", does: "camera, its view and its path", isOn: true },
  grid: { key: "G", label: "grid", does: "grid", isOn: true },
} as const;

export type Layer = keyof typeof layers;

/** Which layers are shown, and the buttons that say so. */
export class Layers {
  readonly #on = new Set(Object.entries(layers).flatMap(([name, { isOn }]) => (isOn ? [name as Layer] : [])));
  readonly #buttons = new Map<Layer, HTMLButtonElement>();
  readonly #onChange: () => void;

  constructor(parent: HTMLElement, onChange: () => void) {
    this.#onChange = onChange;
    for (const [name, { label, key, does }] of Object.entries(layers)) {
      const button = document.createElement("button");
      button.textContent = label;
      button.title = `${does} (${key})`;
      button.addEventListener("click", () => {
        button.blur();
        this.toggle(name as Layer);
      });
      this.#buttons.set(name as Layer, button);
      parent.append(button);
    }
    this.#mark();
  }

  has(layer: Layer): boolean {
    return this.#on.has(layer);
  }

  toggle(layer: Layer): void {
    if (!this.#on.delete(layer)) this.#on.add(layer);
    this.#mark();
    this.#onChange();
  }

  #mark(): void {
    for (const [name, button] of this.#buttons) button.ariaPressed = String(this.#on.has(name));
  }
}
