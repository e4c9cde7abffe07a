/** The evaluation's answer, and the rows that table, plot and CSV are all drawn from. */

export const INTERVALS = [
  "total_response",
  "processing",
  "turnout",
  "travel",
  "on_scene",
  "commitment",
] as const;
export type Interval = (typeof INTERVALS)[number];
export type Grouping = "service" | "district" | "channel";

/** Seconds; null where nothing was measured. */
export interface Figure {
  n: number;
  missing: number;
  p50_s: number | null;
  p90_s: number | null;
  mean_s: number | null;
  max_s?: number | null;
  /** Share 0..1 of n; only for the total response. */
  within_target?: number | null;
}

export type Figures = Record<Interval, Figure>;
export type Group = Figures & { key: string; label?: string | null; label_en?: string | null };

/** First arrivals of one grade of evidence; shares 0 to 1. */
export interface Arrivals {
  evidence: string;
  n: number;
  share: number | null;
  within_target: number | null;
}

/** How true the times of arrival were that crews were offered with; null where n is 0. */
export interface Foretold {
  n: number;
  /** Arrivals that only a button tells of. */
  left_out: number;
  mae_s: number | null;
  /** Above 0: later than told. */
  bias_s: number | null;
  within_p50: number | null;
  within_p90: number | null;
}

export interface Evaluation {
  from: string;
  to: string;
  offset: number;
  target_s: number;
  definitions: { name: Interval; from: string; to: string }[];
  overall: Figures;
  arrivals: Arrivals[];
  foretold: Foretold;
  groups: Group[];
  log_hash: string;
}

/** Whole incidents behind a share: the share is over n, so it divides without a rest. */
export function hits(figure: Figure): number | null {
  if (figure.within_target === undefined || figure.within_target === null) return null;
  return Math.round(figure.within_target * figure.n);
}

/** The right end of a plot: a round number of minutes beyond every P90, mean and the target. */
export function scaleEnd(figures: Figure[], targetS: number): number {
  const highest = Math.max(
    targetS,
    ...figures.map((one) => Math.max(one.p90_s ?? 0, one.mean_s ?? 0)),
  );
  const minutes = highest / 60;
  const step = [5, 10, 15, 30, 60, 120, 240, 480].find((each) => minutes / each <= 6) ?? 1440;
  return Math.ceil((minutes * 1.02) / step) * step * 60;
}

export function ticks(endS: number): number[] {
  const minutes = endS / 60;
  const step = [5, 10, 15, 30, 60, 120, 240, 480].find((each) => minutes / each <= 6) ?? 1440;
  return Array.from({ length: Math.floor(minutes / step) + 1 }, (_, index) => index * step * 60);
}

const COLUMNS = ["n", "missing", "p50_s", "p90_s", "mean_s", "within_target"] as const;

/**
 * RFC 4180 with every interval of every group, seconds with a point, and where the figures come
 * from in each row, so that a row torn out of the file still says what it is.
 */
export function csv(evaluation: Evaluation, by: Grouping, label: (group: Group) => string): string {
  const head = ["group_by", "group_key", "group_label", "interval", "from_time", "to_time"];
  const tail = ["target_s", "period_from", "period_to", "log_offset", "log_hash"];
  const rows = [[...head, ...COLUMNS, ...tail]];
  const all: [string, string, string, Figures][] = [
    ["all", "", "", evaluation.overall],
    ...evaluation.groups.map((group): [string, string, string, Figures] => [
      by,
      group.key,
      label(group),
      group,
    ]),
  ];
  for (const [grouping, key, name, figures] of all) {
    for (const interval of INTERVALS) {
      const definition = evaluation.definitions.find((one) => one.name === interval);
      const figure = figures[interval];
      if (figure === undefined) continue;
      rows.push([
        grouping,
        key,
        name,
        interval,
        definition?.from ?? "",
        definition?.to ?? "",
        ...COLUMNS.map((column) => number(figure[column])),
        String(evaluation.target_s),
        evaluation.from,
        evaluation.to,
        String(evaluation.offset),
        evaluation.log_hash,
      ]);
    }
  }
  return `${rows.map((row) => row.map(cell).join(",")).join("\r\n")}\r\n`;
}

function number(value: number | null | undefined): string {
  if (value === null || value === undefined) return "";
  return String(Number.isInteger(value) ? value : Number(value.toFixed(4)));
}

/** Quoted when needed; a leading formula sign is disarmed for spreadsheets. */
function cell(text: string): string {
  const safe = /^[=+\-@\t\r]/.test(text) && Number.isNaN(Number(text)) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
