import { parse } from "@foxglove/rosmsg";
import { ros2jazzy } from "@foxglove/rosmsg-msgs-common";

/** One field of a message, as @foxglove/rosmsg parses it. */
type Field = ReturnType<typeof parse>[number]["definitions"][number];
type Definition = ReturnType<typeof parse>[number];

/** Message types that @foxglove/rosmsg-msgs-common lacks; text as in the packages' .msg files. */
const shipped: Readonly<Record<string, string>> = {
  "octomap_msgs/Octomap": "std_msgs/Header header\nbool binary\nstring id\nfloat64 resolution\nint8[] data\n",
  "vision_msgs/Point2D": "float64 x\nfloat64 y\n",
  "vision_msgs/Pose2D": "vision_msgs/Point2D position\nfloat64 theta\n",
  "vision_msgs/BoundingBox2D": "vision_msgs/Pose2D center\nfloat64 size_x\nfloat64 size_y\n",
  "vision_msgs/BoundingBox3D": "geometry_msgs/Pose center\ngeometry_msgs/Vector3 size\n",
  "vision_msgs/ObjectHypothesis": "string class_id\nfloat64 score\n",
  "vision_msgs/ObjectHypothesisWithPose":
    "vision_msgs/ObjectHypothesis hypothesis\ngeometry_msgs/PoseWithCovariance pose\n",
  "vision_msgs/Detection2D":
    "std_msgs/Header header\nvision_msgs/ObjectHypothesisWithPose[] results\nvision_msgs/BoundingBox2D bbox\nstring id\n",
  "vision_msgs/Detection3D":
    "std_msgs/Header header\nvision_msgs/ObjectHypothesisWithPose[] results\nvision_msgs/BoundingBox3D bbox\nstring id\n",
  "vision_msgs/Detection2DArray": "std_msgs/Header header\nvision_msgs/Detection2D[] detections\n",
  "vision_msgs/Detection3DArray": "std_msgs/Header header\nvision_msgs/Detection3D[] detections\n",
  "octomap_msgs/OctomapWithPose": "std_msgs/Header header\ngeometry_msgs/Pose origin\noctomap_msgs/Octomap octomap\n",
};

const known = new Map<string, Definition>(Object.entries(ros2jazzy) as [string, Definition][]);
for (const [name, text] of Object.entries(shipped)) {
  const [root] = parse(text, { ros2: true, skipTypeFixup: true });
  if (root !== undefined) known.set(name, { ...root, name });
}

/** `sensor_msgs/msg/Image` -> `sensor_msgs/Image`, the form that definitions use among themselves. */
export function shortTypeName(typeName: string): string {
  return typeName.replace("/msg/", "/");
}

/** `sensor_msgs/Image` -> `sensor_msgs/msg/Image`, the form of ROS 2 bags and graphs. */
export function fullTypeName(typeName: string): string {
  return typeName.includes("/msg/") ? typeName : typeName.replace("/", "/msg/");
}

/**
 * The definition of a type followed by those of all types that it contains, as @foxglove/rosmsg2-serialization wants
 * them; undefined when this project does not know the type (or one inside it).
 */
export function definitionsOf(typeName: string): Definition[] | undefined {
  const names = [shortTypeName(typeName)];
  const found: Definition[] = [];
  for (let at = 0; at < names.length; at += 1) {
    const definition = known.get(names[at] as string);
    if (definition === undefined) return undefined;
    found.push(definition);
    for (const field of definition.definitions) {
      const inner = typeOf(field);
      if (inner.includes("/") && !names.includes(inner)) names.push(inner);
    }
  }
  return found;
}

/**
 * Text of a type in the format of rosbag2's `ros2msg` schemas: its own .msg text, then those of its parts, each after a
 * line of 80 `=` and `MSG: package/Type`. Comments of the original files are not kept.
 */
export function schemaText(typeName: string): string | undefined {
  const parts = definitionsOf(typeName)?.map((definition, at) => {
    const head = at === 0 ? "" : `${"=".repeat(80)}\nMSG: ${definition.name}\n`;
    return head + definition.definitions.map((field) => `${fieldLine(field)}\n`).join("");
  });
  return parts?.join("");
}

/** The parser folds the two time types into primitives; ROS 2 spells them out. */
function typeOf(field: Field): string {
  if (field.type === "time") return "builtin_interfaces/Time";
  if (field.type === "duration") return "builtin_interfaces/Duration";
  return field.type;
}

function fieldLine(field: Field): string {
  const bound = field.upperBound === undefined ? "" : `<=${field.upperBound}`;
  const type = `${typeOf(field)}${bound}`;
  if (field.isConstant === true) return `${type} ${field.name}=${field.valueText ?? String(field.value)}`;
  let array = "";
  if (field.isArray === true) {
    const limit = field.arrayUpperBound === undefined ? "" : `<=${field.arrayUpperBound}`;
    array = `[${field.arrayLength ?? limit}]`;
  }
  const fallback = field.defaultValue === undefined ? "" : ` ${JSON.stringify(field.defaultValue)}`;
  return `${type}${array} ${field.name}${fallback}`;
}
