import { createPinia } from 'pinia'
import { createApp } from 'vue'

import App from './App.vue'
import { createConsoleRouter } from './router'
import { useSession } from './stores/session'
import './styles/tokens.css'
import './styles/base.css'

const app = createApp(App).use(createPinia())
const session = useSession()
const router = createConsoleRouter(session)

session.whenEnded(() => {
  const next = router.currentRoute.value.fullPath
  void router.replace({ name: 'sign-in', query: { next, ended: '1' } })
})

app.use(router).mount('#app')
