/** Hands a file over to the browser to be saved. */
export function saveAs(content: Blob, name: string): void {
  const link = document.createElement('a')
  link.href = URL.createObjectURL(content)
  link.download = name
  link.click()
  // The click has begun the download; the address may go a little later.
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000)
}
