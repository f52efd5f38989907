// The whole of ECharts in one file; the package has typings for its parts alone.

declare module "echarts/dist/echarts.esm.min.mjs" {
  export { init } from "echarts/core";
}
