import { formatHeading, formatNumber, formatValue } from '../model/format';
import type { Table } from './download';
import './table.css';

/** Maximum number of rows shown, since browsers are slow with more; downloads contain all. */
const MAX_ROWS = 500;

export function DataTable({ table, caption }: { table: Table; caption: string }) {
  const shown = table.rows.slice(0, MAX_ROWS);
  return (
    // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- a region that scrolls must be reachable by key
    <div class="table" tabIndex={0} role="region" aria-label={`${caption} as a table`}>
      <table>
        <caption class="hidden">{caption}</caption>
        <thead>
          <tr>
            {table.columns.map((column, i) => (
              <th key={i} scope="col">
                {formatHeading(column, table.units?.[i] ?? '')}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {shown.map((row, i) => (
            <tr key={i}>
              {row.map((value, j) => (
                <td key={j} class={typeof value === 'number' ? 'number' : undefined}>
                  {typeof value === 'number' ? formatValue(value, table.units?.[j] ?? '') : value}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
      {shown.length < table.rows.length && (
        <p class="note">
          Showing {formatNumber(shown.length)} of {formatNumber(table.rows.length)} rows. Downloads contain
          all rows.
        </p>
      )}
    </div>
  );
}
