import type { Command } from "commander";
import type { GivenTopics } from "../io/stereo-topics.ts";

/** What `addTopicOptions` adds to a command's flags. */
export interface TopicFlags {
  readonly left?: string;
  readonly right?: string;
  readonly leftInfo?: string;
  readonly rightInfo?: string;
}

/** Options that name the topics of a stereo recording. */
export function addTopicOptions(command: Command): Command {
  return command
    .option("--left <topic>", "left images; found by type and name if left out")
    .option("--right <topic>", "right images")
    .option("--left-info <topic>", "CameraInfo of the left camera")
    .option("--right-info <topic>", "CameraInfo of the right camera");
}

export function givenTopics({ left, right, leftInfo, rightInfo }: TopicFlags): GivenTopics {
  return {
    ...(left === undefined ? {} : { left }),
    ...(right === undefined ? {} : { right }),
    ...(leftInfo === undefined ? {} : { leftInfo }),
    ...(rightInfo === undefined ? {} : { rightInfo }),
  };
}
