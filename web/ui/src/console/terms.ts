/** The terms of a candidate's cost: their names, and the widths of the bar drawn from them. */
import type { components } from "../api/openapi.js";
import { m } from "../paraglide/messages.js";
import { getLocale } from "../paraglide/runtime.js";

export type Terms = components["schemas"]["CostTerms"];
export const TERMS = ["late", "tardy", "travel", "coverage", "skill", "switch"] as const;
export type Term = (typeof TERMS)[number];

const NAMES: Record<Term, () => string> = {
  late: m.term_late,
  tardy: m.term_tardy,
  travel: m.term_travel,
  coverage: m.term_coverage,
  skill: m.term_skill,
  switch: m.term_switch,
};

export function termName(term: Term): string {
  return NAMES[term]();
}

/** A cost as people compare it: two decimals, in the reader's writing. */
export function costText(cost: number): string {
  return new Intl.NumberFormat(getLocale() === "en" ? "en-GB" : "id-ID", {
    minimumFractionDigits: 2,
    maximumFractionDigits: 2,
  }).format(cost);
}

export interface Part {
  term: Term;
  value: number;
  /** Share of the whole bar, 0..1. */
  width: number;
}

/** The terms that cost something, as shares of the dearest candidate's cost. */
export function partsOf(terms: Terms, most: number): Part[] {
  return TERMS.flatMap((term) => {
    const value = terms[term] ?? 0;
    return value > 0 ? [{ term, value, width: value / Math.max(most, 1e-9) }] : [];
  });
}

/** What the terms come to; the widest bar of a table is drawn for the largest. */
export function sumOf(terms: Terms | null | undefined): number {
  if (!terms) return 0;
  return TERMS.reduce((sum, term) => sum + Math.max(0, terms[term] ?? 0), 0);
}

/** The terms in words, for those who do not see the bar. */
export function termsWords(terms: Terms): string {
  const named = TERMS.filter((term) => (terms[term] ?? 0) !== 0);
  return named
    .map((term) => m.term_value({ term: termName(term), n: costText(terms[term] ?? 0) }))
    .join(", ");
}
