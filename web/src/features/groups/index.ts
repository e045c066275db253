export { GroupPage } from './GroupPage'
export { GroupsPage } from './GroupsPage'
export { PutIntoGroup } from './parts/PutIntoGroup'
export { useGroups } from './queries'
