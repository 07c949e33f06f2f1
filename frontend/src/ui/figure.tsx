import type { ComponentChildren } from 'preact';
import { useContext, useRef, useState } from 'preact/hooks';
import { Side } from './side';
import { saveText, save, toCsv, toJson, toPng, toSvg, type Table } from './download';
import { Menu } from './menu';
import { useNear } from './near';
import { DataTable } from './table';
import './figure.css';

interface FigureProps {
  /** Anchor for deep links and name of downloaded files. */
  id: string;
  title: string;
  description?: string;
  /** What a reader must know next to the title: the step that is shown, or the number of snapshots. */
  note?: ComponentChildren;
  controls?: ComponentChildren;
  table?: () => Table;
  children: ComponentChildren;
}

/** A chart with its heading, description, table and downloads. */
export function Figure({ id, title, description, note, controls, table, children }: FigureProps) {
  const [asTable, setAsTable] = useState(false);
  const body = useRef<HTMLDivElement>(null);
  const side = useContext(Side);
  const [section, near] = useNear<HTMLElement>();
  const picture = () => body.current ?? document.body;
  const actions: [string, () => unknown][] = table
    ? [
        ['Copy CSV', () => navigator.clipboard?.writeText(toCsv(table()))],
        ['Download CSV', () => saveText(`${id}.csv`, toCsv(table()), 'text/csv')],
        ['Download JSON', () => saveText(`${id}.json`, toJson(table()), 'application/json')],
      ]
    : [];
  if (!asTable) {
    actions.push(
      ['Download PNG', async () => save(`${id}.png`, await toPng(picture()))],
      ['Download SVG', () => saveText(`${id}.svg`, toSvg(picture()), 'image/svg+xml')],
    );
  }
  return (
    <section
      ref={section}
      class="figure"
      id={side.prefix + id}
      aria-label={title + side.suffix}
      tabIndex={-1}
    >
      <header>
        <h2>{title}</h2>
        {note && <span class="note">{note}</span>}
        <div class="figure-controls">
          {controls}
          {table && (
            <button type="button" class="quiet" aria-pressed={asTable} onClick={() => setAsTable(!asTable)}>
              Table
            </button>
          )}
          <Menu label={`Copy or download: ${title}`} actions={actions} />
        </div>
      </header>
      {description && <p class="figure-description">{description}</p>}
      <div ref={body}>
        {asTable && table ? (
          <DataTable table={table()} caption={title} />
        ) : near ? (
          children
        ) : (
          <div class="figure-unseen" />
        )}
      </div>
    </section>
  );
}
