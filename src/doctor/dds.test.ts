import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { checkDds, type DdsFacts } from "./dds.ts";

const shippedPath = new URL("../../launch/dds/fastdds-shm.xml", import.meta.url).pathname;
const shipped = readFileSync(shippedPath, "utf8");
const good: DdsFacts = {
  distribution: "kilted",
  rmw: "rmw_fastrtps_cpp",
  hasRmwLibrary: true,
  fastdds: shippedPath,
  fastrtps: undefined,
  readProfile: (path) => (path === shippedPath ? shipped : undefined),
  shippedPath,
  shipped,
  sharedMemoryBytes: 1e9,
};
const profile = (facts: Partial<DdsFacts>) => checkDds({ ...good, ...facts })[1]!;

it("is content with the profile that ships", () => {
  expect(checkDds(good).map(({ name, verdict }) => `${name} ${verdict}`)).toEqual([
    "RMW ok",
    "DDS profile ok",
    "shared memory ok",
  ]);
  expect(profile({ rmw: undefined, hasRmwLibrary: undefined }).verdict).toBe("ok");
});

it("gives the very line to type where no profile is set", () => {
  expect(profile({ fastdds: undefined })).toMatchObject({
    verdict: "warn",
    remedy: expect.stringContaining(`export FASTDDS_DEFAULT_PROFILES_FILE=${shippedPath}`),
  });
  const humble = { distribution: "humble", fastdds: shippedPath };
  expect(profile(humble)).toMatchObject({
    verdict: "warn",
    seen: expect.stringContaining("does not read"),
    remedy: expect.stringContaining(`export FASTRTPS_DEFAULT_PROFILES_FILE=${shippedPath}`),
  });
  expect(profile({ ...humble, fastrtps: shippedPath }).verdict).toBe("ok");
});

it("looks into a profile of the user's own", () => {
  const own = (text: string | undefined) => profile({ fastdds: "/own.xml", readProfile: () => text });
  expect(own(undefined).seen).toContain("cannot be read");
  expect(own("<dds/>").seen).toContain("no transport of shared memory");
  expect(own(shipped.replace("33554432", "1000000")).seen).toContain("has segment_size and maxMessageSize 1000000 and");
  expect(own(shipped.replace(">SHM<", ">UDPv4<")).verdict).toBe("warn");
  expect(own(shipped.replace("33554432", "67108864")).verdict).toBe("ok");
});

it("tells of an RMW that is not installed, and of others than Fast DDS", () => {
  expect(checkDds({ ...good, rmw: "rmw_cyclonedds_cpp", hasRmwLibrary: false })).toMatchObject([
    { name: "RMW", verdict: "fail", remedy: expect.stringContaining("apt-get install ros-kilted-rmw-cyclonedds-cpp") },
  ]);
  expect(checkDds({ ...good, rmw: "rmw_cyclonedds_cpp" })).toHaveLength(1);
});

it("knows the small /dev/shm of containers", () => {
  const memory = (sharedMemoryBytes: number | undefined) => checkDds({ ...good, sharedMemoryBytes })[2]!;
  expect(memory(64e6)).toMatchObject({ verdict: "warn", remedy: expect.stringContaining("--shm-size") });
  expect(memory(undefined).verdict).toBe("ok");
});
