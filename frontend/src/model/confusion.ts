import type { ExplainedSample, SampleMaps } from '../summaries/cnndiag_pb';
import { fromFloat16 } from './density';
import { numbers, once } from './units';

/** Images with one label that got one prediction. */
export interface Cell {
  label: number;
  prediction: number;
}

/** What a model predicts for each image of the probe. */
export interface Predictions {
  predictions: number[];
  /** Empty when unknown. */
  labels: number[];
  /** Share that the model gives to its prediction, 0 to 1. */
  confidences: number[];
}

/** The predictions of a message, read once. */
export const predictionsOf = once(async (message: SampleMaps): Promise<Predictions> => {
  const read = async (bytes: Uint8Array) => {
    if (!bytes.length) return [];
    const at = await numbers(bytes, 2);
    return Array.from({ length: message.samples }, (_, i) => at(i));
  };
  const [predictions, labels, confidences] = await Promise.all([
    read(message.predictions),
    read(message.labels),
    read(message.confidences),
  ]);
  return { predictions, labels, confidences: confidences.map(fromFloat16) };
});

/** The classes that occur, ascending, and the number of images of each cell that has any, by `label prediction`. */
export function confusionOf({ predictions, labels }: Predictions) {
  const counts = new Map<string, number>();
  labels.forEach((label, i) => {
    const cell = `${label} ${predictions[i] ?? 0}`;
    counts.set(cell, (counts.get(cell) ?? 0) + 1);
  });
  const classes = [...new Set([...labels, ...predictions])].sort((a, b) => a - b);
  return { classes, counts };
}

/** The explained images of a cell. */
export function samplesIn(
  chosen: readonly ExplainedSample[],
  { labels, predictions }: Predictions,
  { label, prediction }: Cell,
): ExplainedSample[] {
  return chosen.filter(({ sample }) => labels[sample] === label && predictions[sample] === prediction);
}
