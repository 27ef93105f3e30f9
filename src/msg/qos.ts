/**
 * The `offered_qos_profiles` text that rosbag2 keeps with each topic and `ros2 bag play` publishes with: reliable, and
 * for latched topics (/tf_static, maps) transient local, so that a subscriber who comes later still gets the last
 * message. Numbers, not names, for the policies: Humble reads only these, later ones read both. Infinite durations are
 * written as rmw's RMW_DURATION_INFINITE.
 */
export function offeredQosProfiles(isLatched: boolean): string {
  const forever = (name: string): string => `  ${name}:\n    sec: 9223372036\n    nsec: 854775807\n`;
  return [
    "- history: 1\n",
    `  depth: ${isLatched ? 1 : 10}\n`,
    "  reliability: 1\n",
    `  durability: ${isLatched ? 1 : 2}\n`,
    forever("deadline"),
    forever("lifespan"),
    "  liveliness: 1\n",
    forever("liveliness_lease_duration"),
    "  avoid_ros_namespace_conventions: false",
  ].join("");
}
