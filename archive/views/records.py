"""A record: viewer, page images, text boxes, original, who may see it."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
