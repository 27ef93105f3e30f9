// What liboctomap itself says of our bytes, and bytes that it writes itself. For the tests of src/octree/octomap*.ts.
#include <octomap/octomap.h>

#include <cstdlib>
#include <fstream>
#include <iostream>
#include <sstream>
#include <string>

using octomap::OcTree;
using octomap::OcTreeKey;

// One line a cell of depth 16: key x, y, z and o(ccupied) or f(ree).
static void printCells(const OcTree& tree) {
  for (auto leaf = tree.begin_leafs(); leaf != tree.end_leafs(); ++leaf) {
    const unsigned edge = 1u << (tree.getTreeDepth() - leaf.getDepth());
    const OcTreeKey corner = leaf.getIndexKey();
    const char state = tree.isNodeOccupied(*leaf) ? 'o' : 'f';
    for (unsigned x = 0; x < edge; ++x)
      for (unsigned y = 0; y < edge; ++y)
        for (unsigned z = 0; z < edge; ++z)
          std::cout << corner[0] + x << ' ' << corner[1] + y << ' ' << corner[2] + z << ' ' << state << '\n';
  }
}

// One line a cell of depth 16: key x, y, z and log-odds.
static void printLogOdds(const OcTree& tree) {
  std::cout.precision(17);
  for (auto leaf = tree.begin_leafs(); leaf != tree.end_leafs(); ++leaf) {
    const unsigned edge = 1u << (tree.getTreeDepth() - leaf.getDepth());
    const OcTreeKey corner = leaf.getIndexKey();
    for (unsigned x = 0; x < edge; ++x)
      for (unsigned y = 0; y < edge; ++y)
        for (unsigned z = 0; z < edge; ++z)
          std::cout << corner[0] + x << ' ' << corner[1] + y << ' ' << corner[2] + z << ' ' << leaf->getLogOdds() << '\n';
  }
}

int main(int argc, char** argv) {
  const std::string command = argc > 1 ? argv[1] : "";
  if (command == "read-binary") {  // message data on stdin -> cells
    std::stringstream data;
    data << std::cin.rdbuf();
    OcTree tree(0.5);
    if (data.str().size() > 0) tree.readBinaryData(data);
    printCells(tree);
  } else if (command == "rewrite-binary") {  // message data on stdin -> the same tree, written again
    std::stringstream data;
    data << std::cin.rdbuf();
    OcTree tree(0.5);
    tree.readBinaryData(data);
    tree.prune();
    tree.writeBinaryData(std::cout);
  } else if (command == "read-full") {  // message data on stdin -> cells with log-odds
    std::stringstream data;
    data << std::cin.rdbuf();
    OcTree tree(0.5);
    if (data.str().size() > 0) tree.readData(data);
    printLogOdds(tree);
  } else if (command == "rewrite-full") {  // message data on stdin -> the same tree, inner nodes and pruning worked out anew
    std::stringstream data;
    data << std::cin.rdbuf();
    OcTree tree(0.5);
    tree.readData(data);
    tree.expand();
    tree.updateInnerOccupancy();
    tree.prune();
    tree.writeData(std::cout);
  } else if (command == "read-ot" && argc == 3) {  // file -> "type res size", cells with log-odds
    octomap::AbstractOcTree* read = octomap::AbstractOcTree::read(std::string(argv[2]));
    OcTree* tree = dynamic_cast<OcTree*>(read);
    if (tree == nullptr) return 1;
    std::cout << tree->getTreeType() << ' ' << tree->getResolution() << ' ' << tree->size() << '\n';
    printLogOdds(*tree);
  } else if (command == "read-bt" && argc == 3) {  // file -> "res size", cells
    OcTree tree(0.1);
    if (!tree.readBinary(std::string(argv[2]))) return 1;
    std::cout << tree.getResolution() << ' ' << tree.size() << '\n';
    printCells(tree);
  } else if (command == "insert" && argc == 4) {  // resolution, range; float32s: origin, points, xyz... of each scan -> cells with log-odds
    OcTree tree(std::atof(argv[2]));
    auto number = [] {
      float value = 0;
      std::cin.read(reinterpret_cast<char*>(&value), sizeof value);
      return value;
    };
    for (float x = number(); std::cin; x = number()) {
      const float y = number(), z = number();
      octomap::Pointcloud cloud;
      for (int left = static_cast<int>(number()); left > 0; --left) {
        const float px = number(), py = number(), pz = number();
        cloud.push_back(px, py, pz);
      }
      tree.insertPointCloud(cloud, octomap::point3d(x, y, z), std::atof(argv[3]));
    }
    printLogOdds(tree);
  } else if (command == "scan" && argc == 5) {  // seed, file, raw file -> .bt and message data of a random scan, cells
    std::srand(std::atoi(argv[2]));
    OcTree tree(0.2);
    for (int scan = 0; scan < 3; ++scan) {
      octomap::Pointcloud cloud;
      for (int i = 0; i < 400; ++i)
        cloud.push_back((std::rand() % 1000) / 100.f - 5, (std::rand() % 1000) / 100.f - 5, (std::rand() % 300) / 100.f);
      tree.insertPointCloud(cloud, octomap::point3d(scan, 0.1f, 1.5f));
    }
    // A block known as a whole, so that pruned leaves of several depths occur.
    for (int x = 0; x < 20; ++x)
      for (int y = 0; y < 20; ++y)
        for (int z = 0; z < 20; ++z) tree.updateNode(OcTreeKey(32800 + x, 32700 + y, 32780 + z), z >= 16);
    tree.toMaxLikelihood();
    tree.prune();
    tree.writeBinary(std::string(argv[3]));
    std::ofstream raw(argv[4], std::ios::binary);
    tree.writeBinaryData(raw);
    printCells(tree);
  } else {
    std::cerr << "usage: read-binary | rewrite-binary | read-full | rewrite-full | read-ot FILE | read-bt FILE | insert RES RANGE | scan SEED BT RAW\n";
    return 2;
  }
  return 0;
}
