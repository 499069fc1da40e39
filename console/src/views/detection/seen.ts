/** Thousandths in words. */
export const share = (thousandths: number | undefined): string => (thousandths === undefined ? '—' : `${(thousandths / 10).toFixed(1)}%`)

/** For a bar: thousandths as a decimal between 0 and 1. */
export const measured = (thousandths: number | undefined): string | null => (thousandths === undefined ? null : String(thousandths / 1000))
