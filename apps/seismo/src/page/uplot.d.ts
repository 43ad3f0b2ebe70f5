// The gateway serves the plotting library beside these modules.
import uPlot from 'uplot'

export default uPlot
