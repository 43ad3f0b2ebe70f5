// @ts-check
import uPlot from './uplot.js'
import { element, setText } from './element.js'
import { quantity } from './format.js'

/**
 * @typedef {import('./recording.js').Channel} Channel
 * @typedef {import('./recording.js').Recording} Recording
 */

const PLOT_PX = 118
/** The lowest plot carries the time axis for all. */
const TIME_AXIS_PX = 22
const TIME_LABEL_PX = 18
const VALUE_AXIS_PX = 58
const FONT = '11px system-ui, sans-serif'
const PEAK_RADIUS_PX = 4
/** Above the highest and below the lowest sample, so that marks do not touch the edge. */
const HEADROOM = 1.2
const SECONDS_PER_MINUTE = 60

/** One plot for each channel, all over the same time: what is zoomed or pointed at in one is so in all. */
export class Plots {
  #container
  /** @type {uPlot[]} */
  #plots = []
  /** @type {Recording | undefined} */
  #recording = undefined

  /** @param {HTMLElement} container */
  constructor(container) {
    this.#container = container
    new ResizeObserver(() => {
      const width = this.#width
      for (const plot of this.#plots) if (plot.width !== width) plot.setSize({ width, height: plot.height })
    }).observe(container)
    // Colours are drawn, not styled: another scheme draws anew.
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => this.show(this.#recording))
  }

  /** @param {Recording | undefined} recording */
  show(recording) {
    this.#recording = recording
    for (const plot of this.#plots) plot.destroy()
    this.#plots = []
    this.#container.replaceChildren()
    if (!recording) return
    const isHistogram = recording.type === 'histogram'
    const times = isHistogram ? recording.times.map((it) => it / SECONDS_PER_MINUTE) : recording.times
    for (const [i, channel] of recording.channels.entries()) {
      const readout = element('output', { 'aria-hidden': 'true' })
      const figure = element('figure', { 'data-channel': channel.name }, captionOf(channel, isHistogram, readout))
      this.#container.append(figure)
      const isLast = i === recording.channels.length - 1
      const options = this.#options(recording, channel, isLast, readout)
      this.#plots.push(new uPlot(options, [[...times], [...channel.samples]], figure))
    }
  }

  get #width() {
    return Math.max(200, Math.floor(this.#container.clientWidth))
  }

  /**
   * @param {Recording} recording
   * @param {Channel} channel
   * @param {boolean} isLast
   * @param {HTMLOutputElement} readout
   * @returns {uPlot.Options}
   */
  #options(recording, channel, isLast, readout) {
    const isHistogram = recording.type === 'histogram'
    const colour = coloursOf(this.#container)
    const highest = highestOf(recording, channel.unit) * HEADROOM || 1
    /** @type {uPlot.Axis} */
    const axis = { stroke: colour.axis, font: FONT, grid: { stroke: colour.grid, width: 1 }, ticks: { show: false } }
    return {
      width: this.#width,
      height: PLOT_PX + (isLast ? TIME_AXIS_PX + TIME_LABEL_PX : 0),
      padding: [6, 8, isLast ? 0 : 6, 0],
      legend: { show: false },
      cursor: { sync: { key: 'recording', scales: ['x', null] }, y: false, points: { size: 6 } },
      scales: { x: { time: false }, y: { range: () => [isHistogram ? 0 : -highest, highest] } },
      axes: [
        {
          ...axis,
          size: isLast ? TIME_AXIS_PX : 0,
          ...(isLast
            ? {
                label: isHistogram ? 'minutes from the start' : 'seconds from the trigger',
                labelFont: FONT,
                labelSize: TIME_LABEL_PX,
              }
            : {}),
          values: (_, splits) => splits.map((it) => (isLast ? String(Number(it.toFixed(4))) : '')),
        },
        { ...axis, size: VALUE_AXIS_PX, space: 26, values: (_, splits) => splits.map((it) => quantity(it)) },
      ],
      series: [
        {},
        {
          stroke: colour[channel.unit === 'psi' ? 'air' : 'ground'],
          width: 1.25,
          points: { show: false },
          ...(isHistogram
            ? { paths: /** @type {uPlot.Series.PathBuilder} */ (uPlot.paths.stepped?.({ align: 1 })) }
            : {}),
        },
      ],
      hooks: {
        drawAxes: [(plot) => (isHistogram ? undefined : drawTrigger(plot, colour.trigger))],
        draw: [(plot) => drawPeak(plot, channel, isHistogram, colour)],
        setScale: [(plot, scale) => (scale === 'x' ? this.#follow(plot) : undefined)],
        setCursor: [
          ({ cursor: { idx } }) =>
            setText(readout, idx == null ? '' : readoutOf(channel, recording.times[idx], idx, isHistogram)),
        ],
      },
    }
  }

  /** Shows the same stretch of time in all plots. @param {uPlot} leader */
  #follow(leader) {
    const { min, max } = leader.scales['x'] ?? {}
    if (min === undefined || max === undefined) return
    for (const plot of this.#plots) {
      const own = plot.scales['x']
      // Those that show it already tell nobody: this ends where all are the same.
      if (plot !== leader && (own?.min !== min || own.max !== max)) plot.setScale('x', { min, max })
    }
  }
}

/**
 * @param {Channel} channel
 * @param {boolean} isHistogram
 * @param {HTMLOutputElement} readout
 */
function captionOf({ name, unit, peak }, isHistogram, readout) {
  const words = peak ? `peak ${quantity(Math.abs(peak.value), unit)} at ${timeOf(peak.at, isHistogram)}` : ''
  return element('figcaption', {}, element('strong', {}, name), element('span', { class: 'peak' }, words), readout)
}

/**
 * @param {Channel} channel
 * @param {number | undefined} time
 * @param {number} index
 * @param {boolean} isHistogram
 */
function readoutOf({ samples, unit }, time, index, isHistogram) {
  return `${quantity(samples[index], unit)} at ${timeOf(time ?? 0, isHistogram)}`
}

/**
 * @param {number} seconds
 * @param {boolean} isHistogram
 */
function timeOf(seconds, isHistogram) {
  return isHistogram ? `${Math.round(seconds / SECONDS_PER_MINUTE)} min` : `${seconds.toFixed(3)} s`
}

/**
 * The highest sample of all channels that measure the same: ground motion is compared by eye.
 *
 * @param {Recording} recording
 * @param {string} unit
 */
function highestOf({ channels }, unit) {
  return Math.max(...channels.filter((it) => it.unit === unit).map(({ peak }) => Math.abs(peak?.value ?? 0)))
}

/**
 * @param {uPlot} plot
 * @param {string} colour
 */
function drawTrigger(plot, colour) {
  const x = plot.valToPos(0, 'x', true)
  const { left, top, width, height } = plot.bbox
  if (x < left || x > left + width) return
  const { ctx } = plot
  ctx.save()
  ctx.strokeStyle = colour
  ctx.lineWidth = devicePixelRatio
  ctx.setLineDash([4 * devicePixelRatio, 3 * devicePixelRatio])
  ctx.beginPath()
  ctx.moveTo(x, top)
  ctx.lineTo(x, top + height)
  ctx.stroke()
  ctx.restore()
}

/**
 * A ring around the largest deflection and its value beside it.
 *
 * @param {uPlot} plot
 * @param {Channel} channel
 * @param {boolean} isHistogram
 * @param {Record<'peak' | 'label' | 'paper', string>} colour
 */
function drawPeak(plot, { peak, unit }, isHistogram, colour) {
  if (!peak) return
  const { left, width } = plot.bbox
  const x = plot.valToPos(isHistogram ? peak.at / SECONDS_PER_MINUTE : peak.at, 'x', true)
  const y = plot.valToPos(peak.value, 'y', true)
  if (x < left || x > left + width) return
  const { ctx } = plot
  const scale = devicePixelRatio
  ctx.save()
  ctx.strokeStyle = colour.peak
  ctx.lineWidth = 2 * scale
  ctx.beginPath()
  ctx.arc(x, y, PEAK_RADIUS_PX * scale, 0, 2 * Math.PI)
  ctx.stroke()
  const words = quantity(Math.abs(peak.value), unit)
  ctx.font = `600 ${11 * scale}px system-ui, sans-serif`
  ctx.textBaseline = 'middle'
  const gap = (PEAK_RADIUS_PX + 5) * scale
  // To the right of the ring, unless there is no room.
  const isRight = x + gap + ctx.measureText(words).width < left + width
  ctx.textAlign = isRight ? 'left' : 'right'
  const labelX = isRight ? x + gap : x - gap
  ctx.strokeStyle = colour.paper
  ctx.lineWidth = 4 * scale
  ctx.lineJoin = 'round'
  ctx.strokeText(words, labelX, y)
  ctx.fillStyle = colour.label
  ctx.fillText(words, labelX, y)
  ctx.restore()
}

/** @param {HTMLElement} node */
function coloursOf(node) {
  const style = getComputedStyle(node)
  /** @param {string} name */
  const of = (name) => style.getPropertyValue(`--plot-${name}`).trim()
  return {
    ground: of('ground'),
    air: of('air'),
    axis: of('axis'),
    grid: of('grid'),
    trigger: of('trigger'),
    peak: of('peak'),
    label: of('label'),
    paper: of('paper'),
  }
}
