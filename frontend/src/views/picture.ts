import type { Picture } from '../charts/gallery';
import { formatNumber } from '../model/format';
import type { Image } from '../summaries/cnndiag_pb';

/** A picture of the log for a gallery; that of a dead unit is hatched. */
export function pictureOf(name: string, image: Image, dead = false): Picture {
  const { height, width, channels, pixels, scale } = image;
  const colors = image.sample === undefined ? `color, ± ${formatNumber(scale)}` : 'color';
  return {
    name,
    height,
    width,
    channels,
    pixels,
    dead,
    facts: [
      ['size', `${height} × ${width}`],
      ['scale', channels === 3 ? colors : `± ${formatNumber(scale)}`],
    ],
  };
}
