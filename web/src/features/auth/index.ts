export { ChangePassword } from './ChangePassword'
export { LoginPage } from './LoginPage'
export { isReason, type LoginReason, safeNext } from './model'
export { profileQuery, useLogout } from './queries'
