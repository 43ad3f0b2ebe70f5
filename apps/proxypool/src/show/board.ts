/** What was promised and what was seen, line by line. */
export class Board {
  isMet = true

  say(what: string, figures: string, met: boolean): void {
    this.isMet &&= met
    console.log(`${met ? 'met ' : 'MISS'}  ${what}: ${figures}`)
  }
}
