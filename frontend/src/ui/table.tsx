import { formatNumber } from '../model/format';
import type { Table } from './download';
import './table.css';

/** Rows beyond these are only in the download: a browser is slow with more. */
const MOST_ROWS = 500;

export function DataTable({ table, caption }: { table: Table; caption: string }) {
  const shown = table.rows.slice(0, MOST_ROWS);
  return (
    // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- a region that scrolls must be reachable by key
    <div class="table" tabIndex={0} role="region" aria-label={`${caption} as a table`}>
      <table>
        <caption class="hidden">{caption}</caption>
        <thead>
          <tr>
            {table.columns.map((column) => (
              <th key={column} scope="col">
                {column}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {shown.map((row, i) => (
            <tr key={i}>
              {row.map((value, j) => (
                <td key={j} class={typeof value === 'number' ? 'number' : undefined}>
                  {typeof value === 'number' ? formatNumber(value) : value}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
      {shown.length < table.rows.length && (
        <p class="note">
          Showing {shown.length} of {table.rows.length} rows; the download has all.
        </p>
      )}
    </div>
  );
}
