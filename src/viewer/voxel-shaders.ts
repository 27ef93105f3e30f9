/**
 * Voxels as cubes. A cube shows three faces at most, so only three are drawn: each instance turns its faces towards the
 * eye. Attributes: `position` on the unit cube's three positive faces, `face` = the axis across, `uv` on the face,
 * `centre` in metres, `tint` = colour and, in alpha, the probability. Output is sRGB, not linear.
 */
export const cubeVertex = /* glsl */ `
uniform float edgeM;
in vec3 centre;
in vec4 tint;
in float face;
out vec2 onFace;
out vec3 colour;
out float depthM;

void main() {
  vec3 side = vec3(greaterThanEqual(cameraPosition, centre)) * 2.0 - 1.0;
  vec4 seen = viewMatrix * vec4(centre + position * side * edgeM, 1.0);
  gl_Position = projectionMatrix * seen;
  // Light from above and a little from the side: each face has its own brightness.
  float light = face > 1.5 ? (side.z > 0.0 ? 1.0 : 0.42) : face > 0.5 ? (side.y > 0.0 ? 0.78 : 0.6) : (side.x > 0.0 ? 0.68 : 0.52);
  colour = tint.rgb * light * mix(0.72, 1.0, tint.a);
  onFace = uv;
  depthM = -seen.z;
}
`;

export const cubeFragment = /* glsl */ `
uniform vec3 back;
uniform vec2 fogM;
in vec2 onFace;
in vec3 colour;
in float depthM;
out vec4 fragment;

void main() {
  // A dark rim sets neighbours apart; it fades where a cube is only a few pixels wide.
  vec2 rim = min(onFace, 1.0 - onFace);
  float pixels = max(fwidth(onFace.x), fwidth(onFace.y));
  float line = smoothstep(0.02, 0.02 + max(pixels, 0.03), min(rim.x, rim.y));
  float shade = mix(0.74, 1.0, mix(line, 1.0, smoothstep(0.06, 0.25, pixels)));
  fragment = vec4(mix(colour * shade, back, smoothstep(fogM.x, fogM.y, depthM)), 1.0);
}
`;

/** Voxels as square points of the size that a cube's face has at that distance: a hundredth of the work without a GPU.
 * `scale`: voxels an axis that the point stands for. */
export const pointVertex = /* glsl */ `
uniform float edgeM;
uniform float pixelsPerRadian;
in vec4 tint;
in float scale;
out vec3 colour;
out float depthM;
out float sizePx;

void main() {
  vec4 seen = viewMatrix * vec4(position, 1.0);
  gl_Position = projectionMatrix * seen;
  depthM = -seen.z;
  sizePx = clamp(edgeM * scale * pixelsPerRadian / max(depthM, 0.01), 1.5, 64.0);
  gl_PointSize = sizePx;
  colour = tint.rgb * mix(0.72, 1.0, tint.a);
}
`;

export const pointFragment = /* glsl */ `
uniform vec3 back;
uniform vec2 fogM;
in vec3 colour;
in float depthM;
in float sizePx;
out vec4 fragment;

void main() {
  vec2 rim = min(gl_PointCoord, 1.0 - gl_PointCoord) * sizePx;
  float light = sizePx > 6.0 && min(rim.x, rim.y) < 1.0 ? 0.62 : mix(0.96, 0.74, gl_PointCoord.y);
  fragment = vec4(mix(colour * light, back, smoothstep(fogM.x, fogM.y, depthM)), 1.0);
}
`;
