// Renders a picture of three spheres on a floor; each part is a strip of its rows.
//   partitura job submit ray-tracer --set parts=16 --set width=320 --set height=240
export const inputs = [{ name: 'part', datatype: 'BYTES', shape: [1] }];
export const outputs = [{ name: 'pixels', datatype: 'UINT8', shape: [-1, -1, 3] }];

const SPHERES = [
  { center: [0, 1, 6], radius: 1, color: [0.9, 0.2, 0.2], mirror: 0.3 },
  { center: [-2.2, 0.7, 5], radius: 0.7, color: [0.2, 0.5, 0.9], mirror: 0.15 },
  { center: [1.9, 0.6, 4.2], radius: 0.6, color: [0.95, 0.8, 0.3], mirror: 0.5 },
];
const LIGHT = unit([-0.6, 1, -0.7]);
const EYE = [0, 1.2, -1.5];
const BOUNCES = 4;

export function run({ part }) {
  const { index, parts, width = 320, height = 240 } = JSON.parse(part.data[0]);
  const [columns, rows] = [Number(width), Number(height)];
  const begin = Math.floor((index * rows) / parts);
  const end = Math.floor(((index + 1) * rows) / parts);
  const data = new Uint8Array((end - begin) * columns * 3);
  for (let y = begin; y < end; y++)
    for (let x = 0; x < columns; x++) {
      const direction = unit([(x - columns / 2) / rows, (rows / 2 - y) / rows, 1]);
      const color = trace(EYE, direction, BOUNCES);
      color.forEach((value, channel) => {
        data[((y - begin) * columns + x) * 3 + channel] = Math.round(255 * Math.min(1, value) ** (1 / 2.2));
      });
    }
  return { pixels: { shape: [end - begin, columns, 3], data } };
}

/** Returns the light that arrives from a direction. */
function trace(origin, direction, bounces) {
  const hit = nearest(origin, direction);
  if (!hit) return mix([0.75, 0.85, 1], [0.25, 0.45, 0.8], Math.max(0, direction[1]));
  const { point, normal, color, mirror } = hit;
  const isLit = dot(normal, LIGHT) > 0 && !nearest(along(point, normal, 1e-4), LIGHT);
  const own = scale(color, 0.15 + (isLit ? 0.85 * dot(normal, LIGHT) : 0));
  if (bounces === 0) return own;
  const reflected = along(direction, normal, -2 * dot(direction, normal));
  return mix(own, trace(along(point, normal, 1e-4), reflected, bounces - 1), mirror);
}

function nearest(origin, direction) {
  let closest;
  for (const { center, radius, color, mirror } of SPHERES) {
    const offset = along(origin, center, -1);
    const half = dot(offset, direction);
    const root = half * half - dot(offset, offset) + radius * radius;
    const distance = -half - Math.sqrt(root);
    if (!(distance > 0) || distance >= (closest?.distance ?? Infinity)) continue;
    const point = along(origin, direction, distance);
    closest = { distance, point, normal: scale(along(point, center, -1), 1 / radius), color, mirror };
  }
  const floor = -origin[1] / direction[1];
  if (!(floor > 0) || floor >= (closest?.distance ?? Infinity)) return closest;
  const point = along(origin, direction, floor);
  const isDark = (Math.floor(point[0]) + Math.floor(point[2])) % 2 === 0;
  return {
    distance: floor,
    point,
    normal: [0, 1, 0],
    color: isDark ? [0.2, 0.2, 0.2] : [0.9, 0.9, 0.9],
    mirror: 0.1,
  };
}

function dot(a, b) {
  return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}
function scale(a, factor) {
  return a.map((value) => value * factor);
}
/** Returns `a + b · factor`. */
function along(a, b, factor) {
  return [a[0] + b[0] * factor, a[1] + b[1] * factor, a[2] + b[2] * factor];
}
function mix(a, b, share) {
  return a.map((value, index) => value * (1 - share) + b[index] * share);
}
function unit(a) {
  return scale(a, 1 / Math.sqrt(dot(a, a)));
}
