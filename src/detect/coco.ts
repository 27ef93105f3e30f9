/** The 80 classes of COCO's boxes, in the order that detectors number them. */
export const cocoNames: readonly string[] = `person, bicycle, car, motorcycle, airplane, bus, train, truck, boat,
  traffic light, fire hydrant, stop sign, parking meter, bench, bird, cat, dog, horse, sheep, cow, elephant, bear, zebra,
  giraffe, backpack, umbrella, handbag, tie, suitcase, frisbee, skis, snowboard, sports ball, kite, baseball bat,
  baseball glove, skateboard, surfboard, tennis racket, bottle, wine glass, cup, fork, knife, spoon, bowl, banana, apple,
  sandwich, orange, broccoli, carrot, hot dog, pizza, donut, cake, chair, couch, potted plant, bed, dining table, toilet,
  tv, laptop, mouse, remote, keyboard, cell phone, microwave, oven, toaster, sink, refrigerator, book, clock, vase,
  scissors, teddy bear, hair drier, toothbrush`.split(/,\s+/);

/** COCO numbers its classes from 1 to 90 and leaves these out. */
const unused = new Set([12, 26, 29, 30, 45, 66, 68, 69, 71, 83]);
const cocoIds = Array.from({ length: 90 }, (_, i) => i + 1).filter((id) => !unused.has(id));

/** Numbers of classes in COCO's files: COCO's own where the names are, else from 1 on. */
export function categoryIds(names: readonly string[]): number[] {
  const isCoco = names.length === cocoNames.length && names.every((name, i) => name === cocoNames[i]);
  return names.map((_, i) => (isCoco ? cocoIds[i]! : i + 1));
}
