export { ProjectsPage } from './ProjectsPage'
export { useProjectNames } from './queries'
