import { Color, Fog, PerspectiveCamera, Scene, type Vector3, WebGLRenderer } from "three";
import { OrbitControls } from "three/addons/controls/OrbitControls.js";
import { isSoftwareRenderer, type mostCubes } from "./level-of-detail.ts";

/** Renderer, scene (z up, metres), camera and its controls. Draws only when something has changed. */
export class Stage {
  readonly scene = new Scene();
  readonly camera = new PerspectiveCamera(55, 1, 0.1, 1000);
  readonly controls: OrbitControls;
  readonly back = new Color();
  readonly kind: keyof typeof mostCubes;
  /** Hears of each new size: height of the canvas in device pixels, vertical opening in radians. */
  onResize: (heightPx: number, openingRad: number) => void = () => {};
  /** Called before each screen refresh with the seconds since the last; true asks for a new picture. */
  onTick: (seconds: number) => boolean = () => false;
  /** Side by side: called before each half is drawn. One picture where it is undefined. */
  onHalf: ((half: 0 | 1) => void) | undefined;
  readonly #renderer: WebGLRenderer;
  readonly #fog = new Fog(this.back, 40, 150);
  #isStale = true;
  #drawn = 0;

  constructor(canvas: HTMLCanvasElement) {
    this.kind = isSoftwareRenderer(rendererName()) ? "software" : "hardware";
    // Smooth edges halve the frame rate where a CPU draws them.
    const antialias = this.kind === "hardware";
    this.#renderer = new WebGLRenderer({ canvas, antialias, powerPreference: "high-performance" });
    this.scene.background = this.back;
    this.scene.fog = this.#fog;
    this.camera.up.set(0, 0, 1);
    this.camera.position.set(-14, -4, 8);
    this.controls = new OrbitControls(this.camera, canvas);
    this.controls.target.set(6, 0, 0);
    this.controls.enableDamping = true;
    this.controls.maxPolarAngle = Math.PI * 0.495;
    this.controls.minDistance = 1;
    this.controls.maxDistance = 300;
    new ResizeObserver(() => this.#resize()).observe(canvas);
    canvas.addEventListener("webglcontextrestored", () => this.invalidate());
  }

  start(): void {
    this.#resize();
    let before: number | undefined;
    const refresh = (nowMs: number): void => {
      requestAnimationFrame(refresh);
      const seconds = before === undefined ? 0 : Math.min(0.1, (nowMs - before) / 1000);
      before = nowMs;
      const moved = this.onTick(seconds);
      if (!this.controls.update() && !moved && !this.#isStale) return;
      this.#isStale = false;
      this.#draw();
    };
    requestAnimationFrame(refresh);
  }

  setBack(colour: string): void {
    this.back.set(colour);
    this.#fog.color.copy(this.back);
    this.invalidate();
  }

  /** Asks for a new picture at the next refresh. */
  invalidate(): void {
    this.#isStale = true;
  }

  /** Moves camera and target alike: the view goes along without turning. */
  shift(by: Vector3): void {
    this.camera.position.add(by);
    this.controls.target.add(by);
  }

  look(from: Vector3, at: Vector3): void {
    this.camera.position.copy(from);
    this.controls.target.copy(at);
    this.controls.update();
    this.invalidate();
  }

  #draw(): void {
    const { clientWidth: width, clientHeight: height } = this.#renderer.domElement;
    const halves = this.onHalf === undefined ? 1 : 2;
    const aspect = width / halves / height;
    if (aspect !== this.camera.aspect) {
      this.camera.aspect = aspect;
      this.camera.updateProjectionMatrix();
    }
    this.#renderer.setScissorTest(halves === 2);
    for (let half = 0; half < halves; half += 1) {
      this.onHalf?.(half as 0 | 1);
      const at = [(half * width) / halves, 0, width / halves, height] as const;
      this.#renderer.setViewport(...at);
      this.#renderer.setScissor(...at);
      this.#renderer.render(this.scene, this.camera);
    }
    // For who wants to know that something new is on screen: tests, and those who measure.
    this.#drawn += 1;
    this.#renderer.domElement.dataset["drawn"] = String(this.#drawn);
  }

  #resize(): void {
    const { clientWidth, clientHeight } = this.#renderer.domElement;
    if (clientWidth === 0 || clientHeight === 0) return;
    const ratio = Math.min(devicePixelRatio, 2);
    this.#renderer.setPixelRatio(ratio);
    this.#renderer.setSize(clientWidth, clientHeight, false);
    this.onResize(clientHeight * ratio, (this.camera.fov * Math.PI) / 180);
    this.invalidate();
  }
}

/** Of a context that is given back at once: what draws must be known before the real one is made. */
function rendererName(): string {
  const context = document.createElement("canvas").getContext("webgl2");
  if (context === null) return "";
  const info = context.getExtension("WEBGL_debug_renderer_info");
  const name = String(context.getParameter(info === null ? context.RENDERER : info.UNMASKED_RENDERER_WEBGL));
  context.getExtension("WEBGL_lose_context")?.loseContext();
  return name;
}
