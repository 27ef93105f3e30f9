// dynamicEDT3D's side of bench/distance.bench.ts: takes the grids of a file one after the other, prints what it took.
#include <dynamicEDT3D/dynamicEDT3D.h>

#include <chrono>
#include <cstdint>
#include <fstream>
#include <iostream>
#include <vector>

using Clock = std::chrono::steady_clock;

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: distance FILE\n";
    return 2;
  }
  std::ifstream file(argv[1], std::ios::binary);
  int32_t head[4];  // width, height, grids, reach in cells
  file.read(reinterpret_cast<char*>(head), sizeof head);
  const int width = head[0], height = head[1], grids = head[2], reach = head[3];
  // One layer of cells: what it offers in two dimensions.
  DynamicEDT3D field(reach * reach);
  field.initializeEmpty(width, height, 1);
  std::vector<uint8_t> occupied(static_cast<size_t>(width) * height), before(occupied.size(), 0);
  double sum = 0;
  std::cout << "{\"updateMs\":[";
  for (int n = 0; n < grids; ++n) {
    file.read(reinterpret_cast<char*>(occupied.data()), static_cast<std::streamsize>(occupied.size()));
    if (!file) {
      std::cerr << "the file of grids ends early\n";
      return 1;
    }
    const auto began = Clock::now();
    for (int y = 0, i = 0; y < height; ++y) {
      for (int x = 0; x < width; ++x, ++i) {
        if (occupied[i] == before[i]) continue;
        if (occupied[i] != 0) field.occupyCell(x, y, 0);
        else field.clearCell(x, y, 0);
      }
    }
    field.update(true);
    std::cout << (n > 0 ? "," : "") << std::chrono::duration<double, std::milli>(Clock::now() - began).count();
    before = occupied;
  }
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      const int squared = field.getSQCellDistance(x, y, 0);
      sum += squared >= 0 && squared < reach * reach ? squared : reach * reach;
    }
  }
  std::cout << "],\"sum\":" << sum << "}\n";
  return 0;
}
