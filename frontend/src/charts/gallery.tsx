import { useCallback } from 'preact/hooks';
import { Canvas } from '../ui/canvas';
import { hideTip, showTip } from '../ui/tooltip';
import { rgbRamp, type Scheme } from './palette';
import './gallery.css';

export interface Picture {
  name: string;
  height: number;
  width: number;
  channels: number;
  pixels: Uint8Array;
  /** The unit is dead: drawn hatched. */
  dead: boolean;
  facts: [string, string][];
  /** Opens the page of the unit. */
  open?(): void;
}

/** Value of the pixels that stand for 0 in gray pictures. */
const ZERO = 128;

/** Pictures without negative values use the full ramp for positive values. */
export function schemeOf(pictures: readonly Pick<Picture, 'channels' | 'pixels'>[]): Scheme {
  const below = pictures.some(({ channels, pixels }) => channels === 1 && pixels.some((q) => q < ZERO));
  return below ? 'diverging' : 'sequential';
}

/** RGBA bytes of a picture; gray ones use a ramp with 0 in its middle or at its start. */
export function rgba({ height, width, channels, pixels }: Picture, scheme: Scheme, dark: boolean): ImageData {
  const ramp = rgbRamp(scheme, dark);
  const image = new ImageData(width, height);
  const low = scheme === 'diverging' ? 1 : ZERO;
  for (let i = 0; i < width * height; i += 1) {
    const share = ((pixels[i] ?? ZERO) - low) / (255 - low);
    const level = Math.min(255, Math.max(0, Math.round(255 * share)));
    for (let c = 0; c < 3; c += 1) {
      image.data[4 * i + c] = channels === 3 ? (pixels[3 * i + c] ?? 0) : (ramp[3 * level + c] ?? 0);
    }
    image.data[4 * i + 3] = 255;
  }
  return image;
}

interface ThumbnailProps {
  picture: Picture;
  size: number;
  scheme: Scheme;
  dark: boolean;
}

function Thumbnail({ picture, size, scheme, dark }: ThumbnailProps) {
  const draw = useCallback(
    (context: CanvasRenderingContext2D) => {
      if (!picture.width || !picture.height) return;
      const source = document.createElement('canvas');
      source.width = picture.width;
      source.height = picture.height;
      source.getContext('2d')?.putImageData(rgba(picture, scheme, dark), 0, 0);
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
    [picture, size, scheme, dark],
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
      <figcaption>
        {picture.open ? (
          <button type="button" class="link" onClick={picture.open}>
            {picture.name}
          </button>
        ) : (
          picture.name
        )}
      </figcaption>
    </figure>
  );
}

interface GalleryProps {
  pictures: Picture[];
  scheme: Scheme;
  dark: boolean;
  large?: boolean;
}

/** Small pictures side by side. */
export function Gallery({ pictures, scheme, dark, large }: GalleryProps) {
  return (
    <div class="gallery">
      {pictures.map((picture, i) => (
        <Thumbnail key={i} picture={picture} size={large ? 96 : 56} scheme={scheme} dark={dark} />
      ))}
    </div>
  );
}
