/** The entries of one name, scope, era and tags: what selectors choose by. Its rows are a list in the table. */
export interface Group {
  readonly name: string
  readonly scope: string | undefined
  readonly era: string | undefined
  readonly tags: readonly string[] | undefined
  /** As it stands in the lines. */
  readonly text: Buffer
  readonly textHash: number
  newest: number
}
