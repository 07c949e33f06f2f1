import { useCallback } from 'preact/hooks';
import { Canvas } from '../ui/canvas';
import { hideTip, showTip } from '../ui/tooltip';
import { rgbRamp } from './palette';

export interface Picture {
  name: string;
  height: number;
  width: number;
  channels: number;
  pixels: Uint8Array;
  /** The unit is dead: drawn hatched. */
  dead: boolean;
  facts: [string, string][];
}

/** RGB bytes of a picture; grey ones diverge around 128, which stands for 0. */
export function rgba({ height, width, channels, pixels }: Picture, dark: boolean): ImageData {
  const ramp = rgbRamp('diverging', dark);
  const image = new ImageData(width, height);
  for (let i = 0; i < width * height; i += 1) {
    for (let c = 0; c < 3; c += 1) {
      const level = Math.min(255, Math.max(0, Math.round((((pixels[i] ?? 128) - 1) / 254) * 255)));
      image.data[4 * i + c] = channels === 3 ? (pixels[3 * i + c] ?? 0) : (ramp[3 * level + c] ?? 0);
    }
    image.data[4 * i + 3] = 255;
  }
  return image;
}

function Thumbnail({ picture, size, dark }: { picture: Picture; size: number; dark: boolean }) {
  const draw = useCallback(
    (context: CanvasRenderingContext2D) => {
      if (!picture.width || !picture.height) return;
      const source = document.createElement('canvas');
      source.width = picture.width;
      source.height = picture.height;
      source.getContext('2d')?.putImageData(rgba(picture, dark), 0, 0);
      context.imageSmoothingEnabled = false;
      context.drawImage(source, 0, 0, size, size);
      if (!picture.dead) return;
      context.strokeStyle = dark ? '#fff' : '#000';
      context.lineWidth = 1;
      context.beginPath();
      for (let shift = -size; shift < size; shift += 7) {
        context.moveTo(shift, size);
        context.lineTo(shift + size, 0);
      }
      context.stroke();
    },
    [picture, size, dark],
  );
  return (
    <figure
      class="thumbnail"
      onPointerMove={(event) => showTip(event.clientX, event.clientY, picture.name, picture.facts)}
      onPointerLeave={hideTip}
    >
      <Canvas
        width={size}
        height={size}
        draw={draw}
        label={picture.dead ? `${picture.name}, dead` : picture.name}
      />
      <figcaption>{picture.name}</figcaption>
    </figure>
  );
}

/** Small pictures side by side. */
export function Gallery({ pictures, dark }: { pictures: Picture[]; dark: boolean }) {
  const size = pictures.length > 64 ? 40 : 56;
  return (
    <div class="gallery">
      {pictures.map((picture, i) => (
        <Thumbnail key={i} picture={picture} size={size} dark={dark} />
      ))}
    </div>
  );
}
