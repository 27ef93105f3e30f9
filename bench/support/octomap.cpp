// OctoMap's side of bench/octomap.bench.ts: inserts the scans of a file, casts its rays, prints what it took.
#include <octomap/octomap.h>

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <string>
#include <vector>

using Clock = std::chrono::steady_clock;

static double msSince(Clock::time_point began) {
  return std::chrono::duration<double, std::milli>(Clock::now() - began).count();
}

template <typename T>
static std::vector<T> take(std::istream& file, size_t count) {
  std::vector<T> values(count);
  file.read(reinterpret_cast<char*>(values.data()), static_cast<std::streamsize>(count * sizeof(T)));
  if (!file) throw std::runtime_error("the file of scans ends early");
  return values;
}

int main(int argc, char** argv) {
  if (argc != 4) {
    std::cerr << "usage: octomap FILE RESOLUTION_M RANGE_M\n";
    return 2;
  }
  std::ifstream file(argv[1], std::ios::binary);
  const double range = std::atof(argv[3]);
  octomap::OcTree tree(std::atof(argv[2]));
  const int32_t scans = take<int32_t>(file, 1)[0];
  std::cout << "{\"insertMs\":[";
  for (int32_t n = 0; n < scans; ++n) {
    const int32_t count = take<int32_t>(file, 1)[0];
    const auto origin = take<float>(file, 3);
    const auto xyz = take<float>(file, 3 * static_cast<size_t>(count));
    octomap::Pointcloud cloud;
    cloud.reserve(count);
    for (int32_t i = 0; i < count; ++i) cloud.push_back(xyz[3 * i], xyz[3 * i + 1], xyz[3 * i + 2]);
    const auto began = Clock::now();
    tree.insertPointCloud(cloud, octomap::point3d(origin[0], origin[1], origin[2]), range);
    std::cout << (n > 0 ? "," : "") << msSince(began);
  }
  const int32_t rays = take<int32_t>(file, 1)[0];
  const auto lines = take<float>(file, 6 * static_cast<size_t>(rays));
  int hits = 0;
  double sum = 0;
  const auto began = Clock::now();
  for (int32_t i = 0; i < rays; ++i) {
    const float* r = &lines[6 * static_cast<size_t>(i)];
    octomap::point3d end;
    if (!tree.castRay(octomap::point3d(r[0], r[1], r[2]), octomap::point3d(r[3], r[4], r[5]), end, true, range)) continue;
    hits += 1;
    sum += end.x() + end.y() + end.z();
  }
  std::cout << "],\"castMs\":" << msSince(began) << ",\"hits\":" << hits << ",\"sum\":" << sum;
  std::cout << ",\"bytes\":" << tree.memoryUsage() << ",\"leaves\":" << tree.getNumLeafNodes();
  tree.expand();
  std::cout << ",\"expandedBytes\":" << tree.memoryUsage() << ",\"cells\":" << tree.getNumLeafNodes() << "}\n";
  return 0;
}
