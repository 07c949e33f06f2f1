import { useCallback } from 'preact/hooks';
import { Canvas } from '../ui/canvas';
import { rgba, type Picture } from './gallery';

interface SignedPictureProps {
  picture: Picture;
  side: number;
  dark: boolean;
  label: string;
}

/** A gray picture with values of both signs, enlarged without smoothing. */
export function SignedPicture({ picture, side, dark, label }: SignedPictureProps) {
  const scale = side / Math.max(picture.height, picture.width, 1);
  const width = Math.max(1, Math.round(picture.width * scale));
  const height = Math.max(1, Math.round(picture.height * scale));
  const draw = useCallback(
    (context: CanvasRenderingContext2D) => {
      const source = document.createElement('canvas');
      source.width = picture.width;
      source.height = picture.height;
      source.getContext('2d')?.putImageData(rgba(picture, 'diverging', dark), 0, 0);
      context.imageSmoothingEnabled = false;
      context.drawImage(source, 0, 0, width, height);
    },
    [picture, width, height, dark],
  );
  return <Canvas width={width} height={height} draw={draw} label={label} />;
}
