"""Work lists and the thread of one dispatch."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
