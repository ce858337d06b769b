"""A Django site with django-cas-ng as its documentation has it; over TLS, one process.

python django_site.py PORT CERTIFICATE KEY CAS_URL DATABASE
"""

import ssl
import sys
from wsgiref.simple_server import WSGIRequestHandler, make_server

import django
from django.conf import settings
from django.core.management import call_command
from django.http import JsonResponse
from django.urls import path

PORT, CERTIFICATE, KEY, CAS_URL, DATABASE = sys.argv[1:6]

settings.configure(
    DEBUG=False,
    SECRET_KEY="tests only",
    ALLOWED_HOSTS=["localhost"],
    ROOT_URLCONF="__main__",
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": DATABASE}},
    INSTALLED_APPS=[
        "django.contrib.auth",
        "django.contrib.contenttypes",
        "django.contrib.sessions",
        "django.contrib.messages",
        "django_cas_ng",
    ],
    MIDDLEWARE=[
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "django.contrib.messages.middleware.MessageMiddleware",
    ],
    AUTHENTICATION_BACKENDS=["django_cas_ng.backends.CASBackend"],
    DEFAULT_AUTO_FIELD="django.db.models.AutoField",
    SECURE_PROXY_SSL_HEADER=("HTTP_X_FORWARDED_PROTO", "https"),
    CAS_SERVER_URL=CAS_URL,
    CAS_VERSION="3",
    CAS_APPLY_ATTRIBUTES_TO_USER=True,
    CAS_FORCE_SSL_SERVICE_URL=True,
    CAS_PROXY_CALLBACK=f"https://localhost:{PORT}/callback",
)
django.setup()

from django_cas_ng import views  # noqa: E402


def whoami(request):
    attributes = request.session.get("attributes", {})
    user = request.user.get_username() if request.user.is_authenticated else None
    return JsonResponse({"user": user, "attributes": attributes})


urlpatterns = [
    path("", whoami),
    path("login", views.LoginView.as_view(), name="cas_ng_login"),
    path("logout", views.LogoutView.as_view(), name="cas_ng_logout"),
    path("callback", views.CallbackView.as_view(), name="cas_ng_proxy_callback"),
]


class Quiet(WSGIRequestHandler):
    def log_message(self, *args):
        pass


if __name__ == "__main__":
    from django.core.wsgi import get_wsgi_application

    call_command("migrate", verbosity=0)
    from socketserver import ThreadingMixIn
    from wsgiref.simple_server import WSGIServer

    class Threaded(ThreadingMixIn, WSGIServer):
        daemon_threads = True

    server = make_server("127.0.0.1", int(PORT), get_wsgi_application(), Threaded, Quiet)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE, KEY)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    print("ready", flush=True)
    server.serve_forever()
