export { ForgotPasswordPage } from './ForgotPasswordPage'
export { LoginPage } from './LoginPage'
export { isReason, type LoginReason, safeNext, tokenOf } from './model'
export { AuthFrame } from './parts/AuthFrame'
export { BadLink } from './parts/BadLink'
export { MayNot } from './parts/MayNot'
export { NewPassword } from './parts/NewPassword'
export {
  needsCode,
  profileQuery,
  useChangePassword,
  useLogin,
  useLogout,
  useMay,
  useSwitchOrganization,
} from './queries'
export { ResetPasswordPage } from './ResetPasswordPage'
export { SignUpPage } from './SignUpPage'
export { VerifyEmailPage } from './VerifyEmailPage'
