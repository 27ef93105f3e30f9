import { Color, Fog, PerspectiveCamera, Scene, type Vector3, WebGLRenderer } from "three";
import { OrbitControls } from "three/addons/controls/OrbitControls.js";
import { isSoftwareRenderer, type mostCubes } from "./level-of-detail.ts";

/** Renderer, scene (z up, metres), camera and its controls. Draws only when something has changed. */
export class Stage {
  readonly scene = new Scene();
  readonly camera = new PerspectiveCamera(55, 1, 0.1, 1000);
  readonly controls: OrbitControls;
  readonly back = new Color("#0d1117");
  readonly kind: keyof typeof mostCubes;
  /** Hears of each new size: height of the canvas in device pixels, vertical opening in radians. */
  onResize: (heightPx: number, openingRad: number) => void = () => {};
  /** Called before each screen refresh with the seconds since the last; true asks for a new picture. */
  onTick: (seconds: number) => boolean = () => false;
  readonly #renderer: WebGLRenderer;
  #isStale = true;

  constructor(canvas: HTMLCanvasElement) {
    this.#renderer = new WebGLRenderer({ canvas, antialias: true, powerPreference: "high-performance" });
    this.kind = isSoftwareRenderer(rendererName(this.#renderer)) ? "software" : "hardware";
    this.scene.background = this.back;
    this.scene.fog = new Fog(this.back, 40, 150);
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
      this.#renderer.render(this.scene, this.camera);
    };
    requestAnimationFrame(refresh);
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

  #resize(): void {
    const { clientWidth, clientHeight } = this.#renderer.domElement;
    if (clientWidth === 0 || clientHeight === 0) return;
    const ratio = this.kind === "software" ? 1 : Math.min(devicePixelRatio, 2);
    this.#renderer.setPixelRatio(ratio);
    this.#renderer.setSize(clientWidth, clientHeight, false);
    this.camera.aspect = clientWidth / clientHeight;
    this.camera.updateProjectionMatrix();
    this.onResize(clientHeight * ratio, (this.camera.fov * Math.PI) / 180);
    this.invalidate();
  }
}

function rendererName(renderer: WebGLRenderer): string {
  const context = renderer.getContext();
  const info = context.getExtension("WEBGL_debug_renderer_info");
  return String(context.getParameter(info === null ? context.RENDERER : info.UNMASKED_RENDERER_WEBGL));
}
